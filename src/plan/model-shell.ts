/**
 * The shell programs of a pod: what runs before, around and after the payload's script, and the agent's. They need
 * nothing but a POSIX shell, `rm` and `sleep`.
 *
 * When the script has ended, the shell says what it alone can find out: whether the image has who is to run it.
 *
 * The shell is process 1 of the container's PID namespace. A script in the wild is bash with a server as its child and
 * handles no signals, so on SIGTERM everybody in the namespace is told (`kill -TERM -1` reaches all but process 1),
 * and what is left dies with process 1.
 */
import { control, endpointFile, paths, startedFile } from '../contracts/pod-contract.ts';
import { shellSays } from '../contracts/shell-words.ts';

/** Runs the payload's script; the script's name is `$1`. */
export const modelCommand = `control=${paths.control}
trap 'exit 143' TERM
cd ${paths.payload} || exit 70
if [ ! -e "$control/${control.open}" ]; then
  until [ -p "$control/${control.gate}" ]; do sleep 0.1; done
  ( read -r line < "$control/${control.gate}" ) &
  wait $!
fi
[ ! -e ${endpointFile} ] && [ ! -L ${endpointFile} ] || rm -f ${endpointFile}
echo started > ${startedFile}
IFS= read -r first < "$1"
case $first in
  '#!'*) "./$1" & ;;
  *) if command -v bash > /dev/null 2>&1; then bash "./$1" & else sh "./$1" & fi ;;
esac
script=$!
explain() {
  [ -e "$control/${control.script}" ] || return 0
  { IFS= read -r interpreter; IFS= read -r program; IFS= read -r word; } < "$control/${control.script}"
  if [ -n "$word" ]; then printf '${shellSays.own}%s\\n' "$word"; return 0; fi
  [ "$status" -eq 126 ] || [ "$status" -eq 127 ] || return 0
  missing=
  if [ -n "$interpreter" ] && [ ! -e "$interpreter" ]; then missing=$interpreter
  elif [ -n "$program" ] && ! command -v "$program" > /dev/null 2>&1; then missing=$program
  fi
  [ -z "$missing" ] || printf '${shellSays.own}SCRIPT_INTERPRETER_MISSING: %s, which the first line of "%s" names, is not in the image\\n' "$missing" "$1"
}
stopping=
trap 'stopping=1; kill -TERM -1 2> /dev/null' TERM
(
  trap '' TERM
  until [ -p "$control/${control.restart}" ]; do sleep 1; done
  read -r why < "$control/${control.restart}" || exit 0
  printf '${shellSays.restarting}%s\\n' "$why" >&2
  kill -TERM 1
  sleep 5
  kill -KILL -1
) &
while :; do
  wait "$script"
  status=$?
  kill -0 "$script" 2> /dev/null || break
done
if [ -z "$stopping" ]; then
  explain "$1" >&2
  printf '${shellSays.ended}%s\\n' "$status" >&2
fi
[ "$status" -ne 0 ] || [ -n "$stopping" ] || status=1
exit "$status"
`;

/**
 * The preStop hook of the model's container: wait until the agent has taken the registration away, but not longer than
 * the deadline, because the agent may be dead; then let clients that already have the URL finish.
 */
export function modelPreStop(unregisterTimeoutMs: number, drainMs: number): string {
  const turns = Math.ceil(unregisterTimeoutMs / 100);
  return `turns=0
until [ -e ${paths.control}/${control.stopped} ] || [ $turns -ge ${turns} ]; do sleep 0.1; turns=$((turns + 1)); done
was=
[ ! -e ${paths.control}/${control.stopped} ] || read -r was < ${paths.control}/${control.stopped}
[ "$was" = ${control.neverRegistered} ] || sleep ${drainMs / 1_000}
`;
}

/** The preStop hook of the agent's container. All hooks of a pod run at once, before any signal. */
export const agentPreStop = ['touch', `${paths.control}/${control.stop}`];

/**
 * The readiness probe of an agent on the node's network, whose port is not known before it runs. It waits like the
 * agent's own answer to a probe: until the instance is ready for the first time, and not after that.
 */
export function readyCommand(heldMs: number): readonly string[] {
  const ready = `${paths.control}/${control.ready}`;
  const wait = `turns=0
until [ -e ${ready} ]; do
  [ ! -e ${paths.control}/${control.lost} ] && [ $turns -lt ${Math.floor(heldMs / 200)} ] || exit 1
  sleep 0.2
  turns=$((turns + 1))
done
`;
  return ['/bin/sh', '-c', wait];
}
