#!/bin/sh
# Starts the broker of docker-compose.yml with the passwords of the environment. Only hashes reach its files, which lie
# in memory and are its own alone: Mosquitto complains of others.
set -eu
umask 077
mkdir -p /tmp/mosquitto
printf 'bridge:%s\nlamps:%s\n' "$MQTT_PASSWORD" "$MQTT_LAMPS_PASSWORD" > /tmp/mosquitto/passwords
mosquitto_passwd -U /tmp/mosquitto/passwords
cat /deploy/acl > /tmp/mosquitto/acl
exec mosquitto -c /deploy/compose.conf
