"""Function words of Portuguese and English: they say nothing about what a text is about.

Written with accents, compared folded. Left out on purpose, because documents of this field mean something by them:
`estado` (of a lamp, of Minas Gerais), `poder`, `dever`, `caso`, `segundo` (the unit), `logo`, `ia` (inteligência
artificial), `off`, `up`, `down`.
"""

from shared.embeddings.folding import fold

_PORTUGUESE = """
o a os as um uma uns umas
de do da dos das em no na nos nas por pelo pela pelos pelas para pra com sem sob sobre entre até desde ante após
contra perante conforme durante mediante ao à aos às dum duma num numa nuns numas
deste desta destes destas desse dessa desses dessas daquele daquela daqueles daquelas disto disso daquilo
neste nesta nestes nestas nesse nessa nesses nessas naquele naquela naqueles naquelas nisto nisso naquilo
dele dela deles delas nele nela neles nelas
e ou mas nem que se como porque porquê pois porém contudo todavia entretanto portanto embora quando enquanto
senão tampouco
eu tu você vocês ele ela eles elas me te lhe lhes vos mim ti si comigo contigo consigo conosco
meu minha meus minhas teu tua teus tuas seu sua seus suas nosso nossa nossos nossas
este esta estes estas isto esse essa esses essas isso aquele aquela aqueles aquelas aquilo
qual quais quem quê quanto quanta quantos quantas onde aonde cujo cuja cujos cujas
todo toda todos todas tudo nada algo alguém ninguém algum alguma alguns algumas nenhum nenhuma
outro outra outros outras cada qualquer quaisquer mesmo mesma mesmos mesmas próprio própria próprios próprias
tal tais muito muita muitos muitas pouco pouca poucos poucas mais menos tão tanto tanta tantos tantas vários várias
ser é és são sou somos era eras eram foi fui foram seja sejam será serão seria seriam sido sendo fosse fossem
estar está estou estamos estão estava estavam esteve estiveram esteja estejam estará estarão estando
ter tem têm tenho temos tinha tinham teve tiveram tenha tenham terá terão teria teriam tido tendo
haver há houve havia haviam haja hajam haverá haverão houver
fazer faz fazem fez fizeram pode podem poderá poderão podia podiam deve devem deverá deverão
vai vão vou vamos ir indo
não sim já ainda também só apenas sempre nunca jamais então assim aqui ali lá cá aí agora depois antes
quase talvez inclusive exceto além aquém dentro acima abaixo
"""

_ENGLISH = """
a an the this that these those
of in on at to for from with without by about into onto over under between among through during before after
above below against within upon out
and or but nor if because as while although though unless until than so yet
i you he she it we they me him her us them my your his its our their mine yours hers ours theirs
myself yourself himself herself itself ourselves themselves
who whom whose which what when where why how
be am is are was were been being do does did doing done have has had having
can could will would shall should may might must
not no yes any some each every all both few more most other such same own only just very too also
there here then now again once ever never
"""

STOP_WORDS = frozenset(fold(word) for word in (_PORTUGUESE + _ENGLISH).split())
