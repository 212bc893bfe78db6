#!/bin/sh
# The command line of the old deploy client, done through Kubernetes. See `maas_deploy.sh -h` and docs/migration.md.
here=$(dirname -- "$(readlink -f -- "$0")")
program=$here/kubectl-maas
[ -x "$program" ] || program=kubectl-maas
exec "$program" __legacy-deploy "$@"
