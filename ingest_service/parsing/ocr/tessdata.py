"""Where the language data of text recognition are. Looks at names only; nothing is loaded."""

import os
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = ("por", "eng")
_SYSTEM_FOLDERS = (
    "/usr/share/tesseract-ocr/5/tessdata",
    "/usr/share/tesseract-ocr/4.00/tessdata",
    "/usr/share/tessdata",
    "/usr/share/tesseract/tessdata",
    "/usr/local/share/tessdata",
    "/opt/homebrew/share/tessdata",
)


@dataclass(frozen=True, slots=True)
class LanguageData:
    """What text recognition can work with; without Portuguese it does not work at all."""

    folder: Path | None
    languages: tuple[str, ...]

    @property
    def state(self) -> str:
        """For /readyz: `por, eng`, or what is missing and how to get it."""
        return ", ".join(self.languages) if self.folder else f"missing: {self.advice}"

    @property
    def advice(self) -> str:
        return (
            "Text recognition needs por.traineddata: install tesseract-ocr-por (Debian, Ubuntu), "
            "or set INGEST__TESSDATA_DIR to its folder."
        )


def find_language_data(setting: Path | None) -> LanguageData:
    """The first folder with Portuguese data: the setting's alone if there is one, else TESSDATA_PREFIX, then where
    systems keep them."""
    prefix = os.environ.get("TESSDATA_PREFIX", "")
    named = [Path(prefix), Path(prefix) / "tessdata"] if prefix else []
    folders = [setting] if setting else [*named, *map(Path, _SYSTEM_FOLDERS)]
    for folder in folders:
        if (folder / "por.traineddata").is_file():
            there = tuple(language for language in LANGUAGES if (folder / f"{language}.traineddata").is_file())
            return LanguageData(folder=folder, languages=there)
    return LanguageData(folder=None, languages=())
