#!/bin/bash
# Answers with what it is asked, one question at a time:
#   GET /echo/foobar        -> foobar
#   GET /echo?word=foobar   -> {"word": "foobar"}
PORT=1500
# nc listens on 0.0.0.0 unless told otherwise. With -6 it is ::, which takes IPv4 as well; a machine without IPv6 does not
# have it.
FAMILY=-4
[ -e /proc/net/if_inet6 ] && FAMILY=-6

# %66oo+bar -> foo bar
decode() {
  local text="${1//+/ }"
  text="${text//\\/\\\\}"
  printf '%b' "${text//%/\\x}"
}

# as a JSON string
quote() {
  local text="${1//\\/\\\\}"
  text="${text//\"/\\\"}"
  printf '"%s"' "${text//[[:cntrl:]]/ }"
}

# word=foo&n=1 -> {"word": "foo", "n": "1"}
object() {
  local pair separator="" IFS="&"
  printf '{'
  for pair in $1; do
    printf '%s%s: %s' "$separator" "$(quote "$(decode "${pair%%=*}")")" "$(quote "$(decode "${pair#*=}")")"
    separator=", "
  done
  printf '}\n'
}

answer() {
  local method target rest header body type="text/plain"
  read -r method target rest
  while read -r header && [ "${header%$'\r'}" != "" ]; do :; done
  case "$target" in
    /echo/*) body="$(decode "${target#/echo/}")" ;;
    /echo\?*) body="$(object "${target#*\?}")"; type="application/json" ;;
    *) body="{}"; type="application/json" ;;
  esac
  echo "$method $target" >&2
  printf 'HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s' \
    "$type" "$(printf '%s' "$body" | wc -c)" "$body"
}

rm -f reply
mkfifo reply
echo '{ "url" : "http://localhost:'$PORT'", "functions" : { "apply" : "echo" } }' > endpoint.dat

set -f
while true; do
  nc "$FAMILY" -l -N "$PORT" < reply | answer > reply
done
