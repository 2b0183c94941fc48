"""How telling a word is whatever the library: low for the words of everyday Portuguese, 1 for names and terms.

Rarity in the library cannot say that while the library is small: in twenty passages `começou` is as rare as `URLLC`.

The list: stems by their frequency in everyday language, as the Portuguese word counts of pyspellchecker 0.9.1 (MIT
licence) give it. With f the share of all words, a text of 100 words holds one with p = 1 - exp(-100 f); the number
before a line is log p / log 0.003, rounded. It ends at 30 in a million words. Left out: what is an acronym here
(`ia`, `ric`).
"""

_EVERYDAY = """
0.1 quer
0.2 fic pod sab
0.3 cas cois deix dev diss diz fal gost melhor pass pens pesso poss precis sei tens ver vez volt
0.4 acab acho acontec bem bom cham cheg comec conhec consegu cont dar dia dois encontr esper estiv fac filh fiz
0.4 grand hom lev mat mulh nov ouv pai parec part perd primeir sent temp tent tip tiv trabalh vais vid voss
0.5 acredit ajud amig anos apanh arranj atras beb boa carr caus certez com continu corr dig dinheir duas faz for
0.5 form homens hor ide import irma jog lad lig lug mae maior morr mort mud mund noit nom par ped pequen pergunt
0.5 problem procur quis sair ter tir tom trat tres vem vi vir vist viv
0.6 aceit acha achas acord ador agent altur amor anda andar aparec aprend bat busc cabec cam caminh car cert cidad
0.6 cim cinc clar coloc compr confi control corp cri crianc cuid culp daqu demasi descobr dias dificil dorm entrar
0.6 envi equip escolh escrev esquec estad estar estav exist falt famil far feit feliz fim fiqu forc fost ganh gent
0.6 guard histor hoj ira junt lembr lid livr long lut mal mand maneir mant maos mar med mei mes met mil minut miud
0.6 moment mostr numer olhar olhos pag pais palavr perceb pert plan polic pont port preocup prov proxim pud quart
0.6 raparig rapaz raza realment receb rest roub sai salv sang segu segund seman senhor sequ ser signif sint siti
0.6 soub suficient tinh toc torn traz ultim unic usar va val vei vej velh vend verdad verdadeir
0.7 abrir acerc amanh ano antig apost ar arma armas assassin atac ataqu atir atrav baix bas bastant bel boas boc bol
0.7 brinc cab caix camp capaz cart cen cerc chef cheir comet complet conseg constru contact convers coraca cort
0.7 costum dad decid demor der desaparec desculp desej destru deu dez diab dir direit dit dol dur empreg entend
0.7 entreg escol escond espec especial estranh estud explic facil fact favor fech fest film final fom fort frent fug
0.7 fund gaj govern grac grup guerr hipotes human imagin interess iri jant jov ler limp linh list local log luz
0.7 maldit mao marc mau medic menin ment merec milho mod mont music namor nav negoci notic obrig olha ontem oportun
0.7 pec peg pen permit pes pessoal pior possivel praz prepar pres prest program pront proteg provavel quatr questa
0.7 rap regress relaca resolv respeit respond respost roup saib sal segur seguranc seis sej seri serv sinal sistem
0.7 sonh sort supost tard telefon tenh termin terr test troc troux ve venh vest vim vind visit vitim viu
0.8 abandon abre acess acham achar ache acident admit advog afast agarr agradec agu aguent alma ambos ameac american
0.8 analis andad andam andas andav anim apaixon apart apoi apont apresent are arrisc arvor assin assum assunt assust
0.8 atenca ating atravess aul aument avanc avia avis avo bal banc band banh barc beij bomb bonit bons brac branc
0.8 burac cabel cac caf cair cal calh cant cao carn carreg carta casament caval ced centr cerebr cha chat chav che
0.8 chegu chei chor client cobr codig coleg combat companh compreend comput concord conduz confirm consider consig
0.8 content contrat convenc convid cop cor cost crei cresc crim cumpr cust danc debaix decisa ded dei deit dem
0.8 depend desc desist deslig destin deus devi diferenc diferent discut dispar dispost don dor drog duv empres energ
0.8 enfrent engan enorm ensin entra entrad entrou envolv errad erro escap escritori espac esperanc espirit espos
0.8 estej estrad estrag estrel estup evit exercit experienc falh fart fat fer fing fog font foss fot fotograf fum
0.8 funcion futur garant gast gel goz grav grit hav honr hospital iam ias idad idiot ido igual imens imped inclu
0.8 indic inform informaca informaco inimig inteir investig ire irem julg jur lament lanc larg lav lei levant libert
0.8 ligaca lind lix loj louc ma mago mam manh maquin membr memor mensag metad metr mex milh missa mor motiv nasc
0.8 negr nivel normal not noutr ocup oferec oficial oh oit olho ordem ordens orgulh pacient pap papel partilh paz pe
0.8 pedac perfeit perig pern pertenc pist planet pobr podi ponh porc porr posica post pov pratic prec prend present
0.8 president pret prisa process professor promet public pus qua queim queir reconhec recuper regist regr rei
0.8 relatori represent responsavel result retir reunia risc rua sac said saiu salt saudad secret segred servic set
0.8 sex signific simpl simples sin situaca sobreviv sofr sol sold sozinh sub suspeit tem terceir term testemunh tio
0.8 toqu total transform tras trein unidad usa usad valor vens verific viag viaj vier vinh vontad voz zon
0.9 abert absolut acas acert achav acompanh acus admir agir alcanc alegr alert algur aliment almoc alta alter alto
0.9 alun alvo ama amo amostr ando anel animal aniversari ansios apag apert apes aprec aproveit aproxim arquiv arranc
0.9 arruin arrum arte artig assalt assist assistent atend atra atrev autocarr autor bail bar barulh bast batalh
0.9 bilhet bols bord brev brux cabr cadeir caes cai caiu calc calm calor canca cancel cans capac capita captur carg
0.9 carreir carrinh casac celebr centen cervej ceu chap club col comand combin comboi comport comun conden conf
0.9 confianc connosc conselh contrari corag cozinh criatur crimin cruz cur curt dam dan dao dat dav defend defes
0.9 dent deposit depress derrot descans descobert desenh desenvolv desped desperdic det detalh determin detest
0.9 devolv dirig disc discurs distanc div divert divid dobr doc document doenc doent domin dou doutor edifici efeit
0.9 elev elimin enfi engrac enterr entrev escrit escut esforc espad espalh espert esquerd estabelec estaca estacion
0.9 estil event exam exat excelent execut exig experiment explod extrem fabric fals famos fas fe ficheir fix flor
0.9 folh fri gabinet garot garraf gas gat gener ger gir golp gui habit hero homicidi honest hotel identific ignor
0.9 ilha imag imagens imediat impossivel impresso incendi incomod incrivel ingles inic inici inocent insist
0.9 inteligent inter invad invent investigaca ires irmos janel jeit jogador jornal jovens juiz km laboratori leit
0.9 liberdad licenc limit lingu localiz mag maluc map maravilh material maxim mencion menor merc mestr milha milit
0.9 min minim misteri mistur model molh monstr montanh motor mov moviment mudanc nariz natur navi necess necessari
0.9 neg negoc noiv nort observ obter ocorr odei odi ofert ola olhe oper operaca opinia orden organiz ouc our padr
0.9 pagin parceir pared parqu particip pedr peix pel pensament perc permanec persegu pesquis pessim piad pilot pint
0.9 pis plant poder poe polit pos possibil possu poup prat pref prefer prefir premi presenc pressa pretend prim
0.9 princip principal principi prisioneir produt profund propriedad provoc prox pur pux quadr quantidad quebr queix
0.9 quent quilometr quint rab radi rainh rapt rar rat razo real realidad realiz rebent recent recolh record recus
0.9 red reduz rein relacion relat relogi repar reserv respons restaur reun revel revist rez rio rod rost russ sapat
0.9 saud secul sensaca sentiment separ simpat solt som sombr suger suj sup suport surg surpreend surpres tamanh
0.9 taref tax tecnic tecnolog telemovel tempestad tend tentat teor terrivel terror tia top torr tra trafic trag
0.9 tranc transport tratament tribunal trist truqu ultrapass univers usam uso usou utiliz vag vas veicul veloc venc
0.9 vent vergonh vermelh ves via viest vigi vint viol visa vizinh voar voo vot
"""
_WEIGHTS = {stem: float(weight) for weight, *stems in map(str.split, _EVERYDAY.strip().splitlines()) for stem in stems}
SHORT = 0.3
"""A single letter or digit stands in half of all passages for one reason or another."""


def telling(stem: str) -> float:
    """0 to 1 for a stem as `LexicalEncoder.stems` gives it."""
    return SHORT if len(stem) == 1 else _WEIGHTS.get(stem, 1.0)
