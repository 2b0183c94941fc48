"""The kinds of documents that are told apart, by their registered names."""

PDF = "application/pdf"
PLAIN = "text/plain"
MARKDOWN = "text/markdown"
CSV = "text/csv"
HTML = "text/html"
XML = "application/xml"
SVG = "image/svg+xml"
RTF = "application/rtf"
EML = "message/rfc822"
EPUB = "application/epub+zip"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODT = "application/vnd.oasis.opendocument.text"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
ODP = "application/vnd.oasis.opendocument.presentation"
DOC = "application/msword"
PPT = "application/vnd.ms-powerpoint"
XLS = "application/vnd.ms-excel"
ENCRYPTED_OFFICE = "application/encrypted"
"""An office document behind a password: what it is cannot be seen without it."""

PNG = "image/png"
JPEG = "image/jpeg"
TIFF = "image/tiff"
WEBP = "image/webp"
BMP = "image/bmp"
GIF = "image/gif"

IMAGES = frozenset({PNG, JPEG, TIFF, WEBP, BMP, GIF})
ARCHIVES = frozenset({DOCX, PPTX, XLSX, ODT, ODS, ODP, EPUB})
"""Kinds that are ZIP files inside."""
BY_LIBREOFFICE = frozenset({DOC, PPT, ODP})
TEXTS = frozenset({PLAIN, MARKDOWN, CSV, HTML, XML, SVG, EML})
"""Kinds that a browser can show as plain text."""

READABLE = (
    "PDF, DOCX, PPTX, XLSX, ODT, ODS, ODP, DOC, PPT, XLS, RTF, EPUB, HTML, XML, SVG, e-mail (EML), CSV, Markdown, "
    "plain text and images (PNG, JPEG, TIFF, WebP, BMP, GIF)"
)
"""For messages: what can be sent."""
