# The parent of the user's command: busybox sh launcher TIMEOUT GRACE COMMAND [ARGUMENT…]
#
# It opens the FIFO that `publish` reads, runs the command as its child without that descriptor, hands on
# signals, enforces the time limit, and says at the end, in one line, how the command ended: CODE [REASON].
# A command that was told to stop is killed GRACE seconds later: the rest of the pod's own grace is the publisher's,
# and the kubelet (seen with 1.35) keeps to the grace that a pod's deletion began with, whoever shortens it later.
# The kernel closes the FIFO whatever becomes of this process, so the reader always learns of the end: no line
# means killed, and anything but the single line "0" means that nothing may be published.
#
# What sh cannot do: it starts background children with INT and QUIT ignored, so the command ignores them unless
# it sets its own handlers. Hence every signal is handed on as TERM, whatever the image's STOPSIGNAL is.
# A signal in the very moment between the traps and the opening of the FIFO is heard only when `publish` reads; if
# it never does, the kubelet's KILL after the grace period is what is left.
#
# Its variables begin with tp_: one of another name might be the user's, and would reach the command changed.

tp_bin=${0%/*} tp_timeout=$1 tp_grace=$2
shift 2
tp_why='' tp_stop='' tp_child='' tp_ready='' tp_timer='' tp_killer='' tp_interrupted=''

# Remembers why the command must stop, and hands it on as soon as it can be heard.
stop() {
  tp_interrupted=1 tp_stop=$1
  hand_on
}

# The child has dropped this shell's traps: from now on a TERM is its own.
ready() {
  tp_interrupted=1 tp_ready=1
  hand_on
}

hand_on() {
  [ "$tp_stop" ] && [ "$tp_child" ] && [ "$tp_ready" ] || return 0
  if kill -TERM "$tp_child" 2>/dev/null; then
    tp_why=${tp_why:-$tp_stop}
    [ "$tp_killer" ] || kill_later
  fi
  tp_stop=''
}

kill_later() {
  "$tp_bin/busybox" setsid "$tp_bin/busybox" sh -c '"$0" sleep "$1"; kill -KILL "$2"' \
    "$tp_bin/busybox" "$tp_grace" "$tp_child" 9>&- &
  tp_killer=$!
}

# Tells the reader how it ended. Who was told to stop never reports success, whatever the command made of it.
finish() {
  trap '' TERM INT QUIT HUP USR1 USR2 PIPE
  tp_code=$1 tp_why=${tp_why:-$tp_stop}
  for tp_clock in $tp_timer $tp_killer; do kill -KILL "-$tp_clock" "$tp_clock" 2>/dev/null; done
  case $tp_why in
    timeout)
      tp_code=124
      echo "towpath: the command was stopped, it ran longer than timeoutSeconds=$tp_timeout" >&2 ;;
    terminated)
      [ "$tp_code" != 0 ] || tp_code=143 ;;
  esac
  echo "$tp_code${tp_why:+ $tp_why}" 2>/dev/null >&9
  exit "$tp_code"
}

# Finds the image's own program: by itself this shell would prefer busybox's applets and its builtins.
find_program() {
  tp_program='' tp_refused=''
  case $1 in */*) tp_program=$1; return ;; esac
  set -f
  tp_ifs=$IFS IFS=:
  for tp_folder in $PATH; do
    [ -f "${tp_folder:-.}/$1" ] || continue
    if [ -x "${tp_folder:-.}/$1" ]; then tp_program=${tp_folder:-.}/$1; break; fi
    tp_refused=${tp_folder:-.}/$1
  done
  IFS=$tp_ifs
  set +f
  [ -z "$tp_program" ] || return 0
  if [ "$tp_refused" ]; then
    echo "towpath: the command '$tp_refused' is not executable" >&2
    exit 126
  fi
  echo "towpath: the command '$1' was not found in PATH=$PATH" >&2
  exit 127
}

# Lists the variables that sh would lose or change, one a line, with \001 for their newlines: the kernel has them as
# they were given. Names that sh cannot hold (a.b) are among them, and those that it sets itself.
strange_variables() {
  "$tp_bin/busybox" tr '\000\n' '\n\001' </proc/$$/environ |
    "$tp_bin/busybox" grep -E '^([0-9]|[^=]*[^=A-Za-z0-9_]|(IFS|OPTIND|PPID)=)'
}

# Becomes the command.
become() {
  find_program "$1"
  tp_name=$1
  shift
  tp_strange=$(strange_variables)
  [ "$tp_strange" ] || exec -a "$tp_name" "$tp_program" "$@"
  set -- "$tp_program" "$@"
  set -f
  tp_ifs=$IFS IFS='
'
  for tp_variable in $tp_strange; do
    tp_variable=$(printf '%s.' "$tp_variable" | "$tp_bin/busybox" tr '\001' '\n')
    set -- "${tp_variable%.}" "$@"
  done
  IFS=$tp_ifs
  exec "$tp_bin/busybox" env -- "$@"
}

trap 'stop terminated' TERM INT QUIT HUP
trap 'stop timeout' USR1
trap ready USR2

# Opening waits until `publish` reads; a signal ends the waiting, and then nothing may block any more.
if ! { command exec 9>"$tp_bin/alive"; } 2>/dev/null; then
  if [ -z "$tp_stop" ]; then
    echo "towpath: $tp_bin/alive cannot be opened; stage-in should have made it" >&2
    exit 125
  fi
  exec 9<>"$tp_bin/alive"
fi
[ -z "$tp_stop" ] || finish 143
if [ $# = 0 ]; then
  echo "towpath: the step's command is empty; an image's ENTRYPOINT is not known here, so name it in 'command'" >&2
  finish 125
fi

# Which shard this is stands in a file: the number that Kubernetes gives is the pod's place in its Job, which is another
# when only some shards are run again.
if [ -f "$tp_bin/shard" ]; then
  read -r TOWPATH_SHARD <"$tp_bin/shard"
  JOB_COMPLETION_INDEX=$TOWPATH_SHARD
  export TOWPATH_SHARD JOB_COMPLETION_INDEX
fi

# A script may import what stage-in has placed for it, unless the image has its own.
PYTHONPATH=${PYTHONPATH:+$PYTHONPATH:}$tp_bin/python
export PYTHONPATH

(
  kill -USR2 $$
  become "$@"
) 9>&- &
tp_child=$!
hand_on

if [ "$tp_timeout" ]; then
  "$tp_bin/busybox" setsid "$tp_bin/busybox" sh -c '"$0" sleep "$1"; kill -USR1 "$2"' \
    "$tp_bin/busybox" "$tp_timeout" "$$" 9>&- &
  tp_timer=$!
fi

# A trap interrupts `wait`, and its answer then says nothing about the child: ask again.
while :; do
  tp_interrupted=''
  wait "$tp_child"
  tp_code=$?
  [ "$tp_interrupted" ] || break
done
finish "$tp_code"
