"""`POST /api/llm/perguntar`: the route of the Unity client, in Portuguese to the last error.

Unity's JsonUtility knows neither null nor missing fields, so every field is always there.
"""

import asyncio
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ValidationError

from query_service.answering.wording import problem_in_portuguese
from query_service.api.access import Admit, Allowed, credential_of
from query_service.api.connection import while_connected
from query_service.api.schemas import USER_CHARS, BlankQuestion, LongQuestion, cleaned_question
from query_service.ask import Asker
from query_service.conversations.visitor import visitor_of
from query_service.events import Done
from query_service.question import Question
from shared.errors import NotFound, Unprocessable, XgtwinError
from shared.settings import QuerySettings


class Pergunta(BaseModel):
    """`conversa_id` vazio ou ausente começa uma conversa nova."""

    pergunta: str
    conversa_id: str | None = None
    usuario: str | None = None
    """Quem pergunta, em qualquer forma; guarda-se só um resumo criptográfico (hash). Vazio ou ausente: ninguém."""


class Fonte(BaseModel):
    documento: str
    pagina: int
    """0 quando o formato não tem páginas."""
    trecho: str


class Resposta(BaseModel):
    resposta: str
    fontes: list[Fonte]
    conversa_id: str
    fundamentada: bool

    @classmethod
    def of(cls, done: Done) -> "Resposta":
        return cls(
            resposta=done.answer,
            fontes=[
                Fonte(documento=proof.filename, pagina=proof.page_start or 0, trecho=proof.quote)
                for proof in done.citations
            ],
            conversa_id=str(done.conversation_id),
            fundamentada=done.grounded,
        )


def perguntar_routes(asker: Asker, allowed: Allowed, admit: Admit, settings: QuerySettings) -> APIRouter:
    router = APIRouter(tags=["perguntar"])
    described = {"content": {"application/json": {"schema": Pergunta.model_json_schema()}}, "required": True}

    @router.post("/api/llm/perguntar", openapi_extra={"requestBody": described})
    async def perguntar(request: Request) -> Resposta:
        """Responde a uma pergunta com base nos documentos, com as fontes."""
        # Key and body are read here and not by FastAPI, whose own refusals are in English.
        try:
            principal = await asyncio.to_thread(allowed, request)
            await admit(request)
            body = _read(await request.body())
            question = Question(
                organization_id=principal.organization_id,
                text=cleaned_question(body.pergunta, settings.max_question_chars, "pergunta"),
                top_k=settings.top_k,
                conversation_id=_conversation(body.conversa_id),
                visitor=visitor_of(principal.organization_id, _user(body.usuario)),
                credential=credential_of(request),
            )
            return Resposta.of(await while_connected(request, asker.answer(question)))
        except BlankQuestion as error:
            raise Unprocessable(
                "O campo 'pergunta' está vazio. Escreva a pergunta em palavras.", code=error.code
            ) from None
        except LongQuestion as error:
            raise Unprocessable(
                f"A pergunta é longa demais; o limite é de {settings.max_question_chars} caracteres "
                "(QUERY__MAX_QUESTION_CHARS). Pergunte de forma mais breve.",
                code=error.code,
            ) from None
        except NotFound as error:
            raise NotFound(
                "Esta conversa não existe. Deixe 'conversa_id' vazio para começar uma nova.", code=error.code
            ) from None
        except XgtwinError as error:
            if isinstance(error, Unprocessable):
                raise
            raise type(error)(
                problem_in_portuguese(error.status), code=error.code, retry_after=error.retry_after
            ) from error

    return router


def _read(body: bytes) -> Pergunta:
    try:
        return Pergunta.model_validate_json(body)
    except ValidationError as error:
        wrong = {str(part["loc"][0]) for part in error.errors() if part["loc"]}
        if "pergunta" in wrong:
            detail = "O campo 'pergunta' é obrigatório e deve ser um texto."
        elif "conversa_id" in wrong:
            detail = "O campo 'conversa_id' deve ser um texto; deixe-o vazio para começar uma conversa nova."
        elif "usuario" in wrong:
            detail = "O campo 'usuario' deve ser um texto; deixe-o vazio se não quiser dizer quem pergunta."
        else:
            detail = "O corpo do pedido não é um objeto JSON válido."
        raise Unprocessable(
            f'{detail} Envie, por exemplo: {{"pergunta": "O que é o 5G?"}}.', code="invalid_request"
        ) from None


def _user(text: str | None) -> str | None:
    if text and len(text) > USER_CHARS:
        raise Unprocessable(
            f"O campo 'usuario' tem {len(text)} caracteres; o limite é de {USER_CHARS}.", code="invalid_request"
        )
    return text


def _conversation(text: str | None) -> UUID | None:
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise Unprocessable(
            "O campo 'conversa_id' não é um identificador válido. Envie o valor que veio na resposta anterior, "
            "ou deixe-o vazio para começar uma conversa nova.",
            code="invalid_request",
        ) from None
