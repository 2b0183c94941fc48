"""Portuguese sentences that each state one fact about one thing with a name of its own.

The name occurs in no other sentence, so that a search for the fact can mean no other place.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sentence:
    """A fact, and the question that a person would ask to learn it."""

    text: str
    question: str


@dataclass(frozen=True, slots=True)
class Thing:
    """A named piece of equipment. `o` is its article; the rest are the contractions that Portuguese makes of it."""

    o: str
    name: str

    @property
    def do(self) -> str:
        return f"d{self.o} {self.name}"

    @property
    def no(self) -> str:
        return f"n{self.o} {self.name}"

    @property
    def pelo(self) -> str:
        return f"pel{self.o} {self.name}"

    def __str__(self) -> str:
        return f"{self.o} {self.name}"

    @property
    def first(self) -> str:
        """As the first words of a sentence."""
        return f"{self.o.upper()} {self.name}"


KINDS = (
    ("o", "analisador de espectro"),
    ("a", "antena setorial"),
    ("o", "gerador de sinais"),
    ("a", "fonte de alimentação"),
    ("o", "osciloscópio"),
    ("a", "estação rádio base"),
    ("o", "repetidor óptico"),
    ("a", "câmera térmica"),
    ("o", "servidor de borda"),
    ("a", "bancada de calibração"),
    ("o", "roteador industrial"),
    ("a", "sonda de corrente"),
)
ROOTS = (
    *("Abaité", "Araçá", "Bacuri", "Boqueirão", "Caiapó", "Camburi", "Carijó", "Cunhambé", "Embaú", "Gravatá"),
    *("Guarapé", "Iguaçaba", "Inhambu", "Ipojucã", "Itaguaré", "Jaborá", "Jequiá", "Juquiti", "Macaíba", "Mambucá"),
    *("Maracujaí", "Mucuripé", "Nhandeara", "Ocauçu", "Paraibuné", "Peruíbe", "Pindoré", "Quixaba", "Sapucaí"),
    *("Tamboré", "Taquaruçu", "Tijucana", "Ubatã", "Umuaramé", "Urucuia", "Votoporã", "Xambioá", "Xiriricá"),
)
SURNAMES = (
    *("Alvorada", "Bonança", "Celeste", "Diamante", "Estrela", "Floresta", "Granito", "Horizonte", "Ipiranga"),
    *("Jasmim", "Lagoa", "Magnólia", "Neblina", "Orquídea", "Paineira", "Quaresmeira", "Ribeirão", "Serrana"),
    *("Tucano", "Uirapuru", "Violeta", "Zéfiro", "Ametista", "Bromélia", "Cristalina", "Esmeralda", "Figueira"),
    *("Girassol", "Hortênsia", "Imbuia", "Jacutinga", "Lavanda", "Marítima", "Nascente", "Oliveira"),
)
MONTHS = (
    *("janeiro", "fevereiro", "março", "abril", "maio", "junho"),
    *("julho", "agosto", "setembro", "outubro", "novembro", "dezembro"),
)

Template = Callable[[Thing, int, str], Sentence]

TEMPLATES: tuple[Template, ...] = (
    lambda thing, n, month: Sentence(
        f"{thing.first} registrou {n} miliwatts de potência média durante o ensaio de {month}.",
        f"Que potência média {thing} registrou?",
    ),
    lambda thing, n, month: Sentence(
        f"A equipe de manutenção trocou {n} conectores {thing.do} antes da inspeção de {month}.",
        f"Quantos conectores {thing.do} foram trocados?",
    ),
    lambda thing, n, month: Sentence(
        f"{thing.first} fica na sala {n} e só funciona com a presença de um técnico habilitado.",
        f"Em que sala fica {thing}?",
    ),
    lambda thing, n, month: Sentence(
        f"Segundo o relatório, {thing} perdeu {n} pacotes por causa de uma configuração incorreta.",
        f"Quantos pacotes {thing} perdeu?",
    ),
    lambda thing, n, month: Sentence(
        f"A calibração {thing.do} levou {n} minutos e não alterou a precisão das medições.",
        f"Quanto tempo levou a calibração {thing.do}?",
    ),
    lambda thing, n, month: Sentence(
        f"Os alunos de iniciação científica mediram {n} milissegundos de latência {thing.no}.",
        f"Que latência foi medida {thing.no}?",
    ),
    lambda thing, n, month: Sentence(
        f"A verba destinada à compra {thing.do} foi de {n} mil reais, aprovada na reunião de {month}.",
        f"Qual foi a verba para a compra {thing.do}?",
    ),
    lambda thing, n, month: Sentence(
        f"{thing.first} suporta até {n} conexões simultâneas sem degradação do serviço.",
        f"Quantas conexões simultâneas {thing} suporta?",
    ),
    lambda thing, n, month: Sentence(
        f"A professora responsável {thing.pelo} publicou {n} artigos sobre comunicações ópticas.",
        f"Quantos artigos publicou a professora responsável {thing.pelo}?",
    ),
    lambda thing, n, month: Sentence(
        f"Na câmara anecoica, {thing} alcançou {n} decibéis de isolação na faixa de ondas milimétricas.",
        f"Quantos decibéis de isolação {thing} alcançou?",
    ),
)

WHO = (
    *("A coordenação do laboratório", "O grupo de estudos", "A equipe da manhã", "O comitê técnico"),
    *("A bolsista do projeto", "O turno da noite", "A comissão de segurança", "O setor de compras"),
)
DID = ("revisou", "discutiu", "organizou", "comparou", "arquivou", "resumiu", "conferiu", "atualizou")
WHAT = (
    *("os procedimentos de rotina", "as anotações da semana", "o inventário das ferramentas", "a lista de pendências"),
    *("os resultados parciais", "o cronograma das visitas", "a documentação dos cabos", "as planilhas de consumo"),
)
WHEN = (
    *("antes de encerrar o expediente", "sem encontrar nenhuma surpresa", "com a ajuda dos estagiários"),
    *("logo depois do almoço", "conforme o regulamento interno", "para facilitar a próxima auditoria"),
    *("apesar do calor naquela tarde", "a pedido da direção"),
)


class Author:
    """Writes facts, each about another thing, and plain sentences that say nothing in particular."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._names = self._shuffled_names()

    def fact(self) -> Sentence:
        """A sentence about a thing that no other sentence of this author names."""
        article, kind = self._random.choice(KINDS)
        thing = Thing(article, f"{kind} {next(self._names)}")
        return self._random.choice(TEMPLATES)(thing, self._random.randint(11, 989), self._random.choice(MONTHS))

    def filler(self) -> str:
        """A sentence without a fact: what surrounds the facts of a real document."""
        return " ".join(self._random.choice(words) for words in (WHO, DID, WHAT, WHEN)) + "."

    def topic(self) -> str:
        """A heading, such as "Ensaio de março: o inventário das ferramentas"."""
        return f"Registro de {self._random.choice(MONTHS)}: {self._random.choice(WHAT)}"

    def _shuffled_names(self) -> Iterator[str]:
        names = [f"{root} {surname}" for root in ROOTS for surname in SURNAMES]
        self._random.shuffle(names)
        return iter(names)
