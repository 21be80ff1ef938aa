#!/bin/sh
# Finds the commit from which on something is slower, with git bisect:
#
#   cp docs/bisect.sh /tmp                  # git will change what is checked out
#   make bench MODELS=digits-cnn RESULTS=/tmp/good          # at the commit that was good
#   git bisect start BAD GOOD
#   git bisect run /tmp/bisect.sh /tmp/good "p50 > +5%" make bench MODELS=digits-cnn
#
# bisect.sh GOOD CONDITION COMMAND...: COMMAND measures what is checked out into the folder $RESULTS (as
# `make bench` does), which is then compared with the folder GOOD. Any command that leaves a results folder
# there will do. Environment: INFEROMETER (the program, .venv/bin/inferometer), COMPARE (more options, e.g.
# "--strict --allow kernel"), BISECT (where results are kept by commit, /tmp/bisect): what was measured
# already is not measured again.
#
# Exit status, as `git bisect run` reads it: 0 good, 1 bad, 125 skip (it could not be measured, or nothing
# could be judged), 128 stop (the comparison itself was refused: a skip would hide that).
set -u
if [ $# -lt 3 ]; then
  echo "usage: bisect.sh GOOD CONDITION COMMAND..." >&2
  exit 128
fi
good=$1 condition=$2
shift 2
commit=$(git rev-parse HEAD) || exit 128
RESULTS=${BISECT:-/tmp/bisect}/$commit
export RESULTS
mkdir -p "${RESULTS%/*}" || exit 128
# Exit status 3 of a bench: some trials failed; what did not fail can still be compared.
if [ ! -e "$RESULTS/summary.json" ]; then
  "$@"
  status=$?
  [ $status -eq 130 ] && exit 128
  [ $status -eq 0 ] || [ $status -eq 3 ] || exit 125
fi
# shellcheck disable=SC2086
${INFEROMETER:-.venv/bin/inferometer} compare "$good" "$RESULTS" --fail-if "$condition" ${COMPARE:-}
status=$?
[ $status -eq 2 ] && exit 128
exit $status
