#!/bin/sh
# Puts what the Compose stack keeps secret into .env, each made once: what is there already stays as it is.
set -eu
umask 077
file=${1:-.env}
touch "$file"
chmod 600 "$file"
# Compose writes them into addresses (postgresql://, redis://, mqtt://) as they stand.
broken=$(sed -nE 's/^((POSTGRES|REDIS|MQTT|MQTT_LAMPS)_PASSWORD)=.*[^A-Za-z0-9._~-].*/\1/p' "$file")
if [ -n "$broken" ]; then
  echo "In $file, use letters, digits and . _ ~ - alone for" $broken "and run make secrets again: other signs break the addresses they stand in." >&2
  exit 1
fi
[ -z "$(tail -c1 "$file")" ] || echo >> "$file"  # a last line without an end would swallow the first secret
for name in POSTGRES_PASSWORD REDIS_PASSWORD MQTT_PASSWORD MQTT_LAMPS_PASSWORD STORE__QDRANT_API_KEY TWIN__TOKEN \
            TWIN__VIEWER_TOKEN LITELLM_MASTER_KEY GRAFANA_PASSWORD WEBUI_SECRET_KEY; do
  if ! grep -q "^$name=." "$file"; then
    printf '%s=%s\n' "$name" "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')" >> "$file"
    echo "made $name"
  fi
done
