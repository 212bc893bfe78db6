#!/bin/sh
# The command line of the old service starter, as an installation of the chart. See `maas_service.sh -h` and
# docs/migration.md.
here=$(dirname -- "$(readlink -f -- "$0")")
program=$here/kubectl-maas
[ -x "$program" ] || program=kubectl-maas
MAAS_CHART=${MAAS_CHART:-$here/charts/maas-operator} exec "$program" __legacy-service "$@"
