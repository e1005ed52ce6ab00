#!/bin/sh
# Makes the namespace unless it is there, and returns once it can be used.
set -eu
tries=0
until temporal operator cluster health >/dev/null 2>&1; do
  tries=$((tries + 1))
  [ "$tries" -lt 60 ] || { echo "Temporal does not become healthy" >&2; exit 1; }
  sleep 1
done
temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 72h
# The server's parts learn of a new namespace one after the other.
until temporal workflow list --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; do
  tries=$((tries + 1))
  [ "$tries" -lt 120 ] || { echo "the namespace $TEMPORAL_NAMESPACE cannot be used" >&2; exit 1; }
  sleep 1
done
