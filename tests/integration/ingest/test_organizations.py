"""What one organization has, no other sees, changes or takes away."""

from pathlib import Path

from sqlmodel import Session, select

from shared.auth.keys import Scope, create_key
from shared.auth.tables import ApiKey, Organization
from tests.integration.ingest.service import Service, running


def keys_of_two_organizations(service: Service) -> tuple[dict[str, str], dict[str, str]]:
    """Headers of the organization that owns the watched folder, and of another one."""
    first = create_key(service.engine, "first", [Scope.ADMIN])
    second = create_key(service.engine, "second", [Scope.ADMIN])
    with Session(service.engine) as session:
        organization = Organization(name="Outra")
        session.add(organization)
        session.flush()
        key = session.exec(select(ApiKey).where(ApiKey.name == "second")).one()
        key.organization_id = organization.id
        session.add(key)
        session.commit()
    return {"X-API-Key": first}, {"X-API-Key": second}


async def test_the_watched_folder_is_scanned_for_its_own_organization_alone(tmp_path: Path):
    async with running(tmp_path, auth="on", watch="polling") as service:
        own, foreign = keys_of_two_organizations(service)
        (service.watched / "salarios.txt").write_bytes(b"Uma lista reservada.")
        for query in ("", "?confirm=true", "?dry_run=true"):
            refused = await service.http.post(f"/sources/watch/scan{query}", headers=foreign)
            assert refused.status_code == 403
            assert "salarios" not in refused.text
        assert (await service.http.post("/sources/watch/scan", headers=own)).status_code == 202
