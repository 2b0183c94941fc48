"""Why an address gave no document.

AddressRefused (422)    it is not fetched: scheme, port, a password in it, a network that is not public
FetchFailed (422)       it was asked, and no document came
└── PageGone            the server says that there is nothing (404, 410)

No text tells more of a refused address than the sender knew: neither what it resolves to nor whether somebody listens.
"""

from shared.errors import Unprocessable


class AddressRefused(Unprocessable):
    code = "address_refused"


class FetchFailed(Unprocessable):
    code = "fetch_failed"


class PageGone(FetchFailed):
    code = "page_gone"
