"""The console at `/`: a page in Portuguese for asking from a browser. Static files, no build step, no outside host."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

FOLDER = Path(__file__).parent
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


def console_routes() -> APIRouter:
    """The page and its two files; open to everybody, since it holds nothing: asking wants the key."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def page() -> FileResponse:
        return FileResponse(FOLDER / "page.html", media_type="text/html; charset=utf-8", headers=HEADERS)

    @router.get("/console/page.css")
    async def style() -> FileResponse:
        return FileResponse(FOLDER / "page.css", media_type="text/css; charset=utf-8", headers=HEADERS)

    @router.get("/console/page.js")
    async def script() -> FileResponse:
        return FileResponse(FOLDER / "page.js", media_type="text/javascript; charset=utf-8", headers=HEADERS)

    return router
