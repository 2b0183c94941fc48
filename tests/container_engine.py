"""Whether containers can be started here."""

import shutil
import subprocess


def engine_missing() -> str:
    """Why no container can be started here; empty where one can."""
    if shutil.which("docker") is None:
        return "there is no docker on this machine"
    for words in (("info",), ("compose", "version")):
        asked = subprocess.run(["docker", *words], capture_output=True, text=True, timeout=60, check=False)
        if asked.returncode:
            return f"docker {words[0]} fails: {(asked.stderr or asked.stdout).strip()[:200]}"
    return ""
