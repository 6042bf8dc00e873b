# The parent of the user's command: busybox sh launcher TIMEOUT GRACE COMMAND [ARGUMENT…]
#
# It opens the FIFO that `publish` reads, runs the command as its child without that descriptor, hands on
# signals, enforces the time limit, and says at the end, in one line, how the command ended: CODE [REASON].
# The kernel closes the FIFO whatever becomes of this process, so the reader always learns of the end: no line
# means killed, and anything but the single line "0" means that nothing may be published.
#
# What sh cannot do: it starts background children with INT and QUIT ignored, so the command ignores them unless
# it sets its own handlers. Hence every signal is handed on as TERM, whatever the image's STOPSIGNAL is.
# Between the reset of the child's traps and the exec a TERM may be lost for some microseconds; the kubelet's
# KILL after the grace period is what is left then.

bin=${0%/*} timeout=$1 grace=$2
shift 2
why='' child='' early='' timer='' interrupted=''

# Hands a stop on to the command; before the command has begun it is only remembered.
stop() {
  interrupted=1
  if [ -z "$child" ]; then
    why=${why:-$1} early=1
  elif kill -TERM "$child" 2>/dev/null; then
    why=${why:-$1}
  fi
}

# Tells the reader how it ended. Who was told to stop never reports success, whatever the command made of it.
finish() {
  trap '' TERM INT QUIT HUP USR1 PIPE
  code=$1
  [ -z "$timer" ] || kill -KILL "-$timer" "$timer" 2>/dev/null
  case $why in
    timeout)
      code=124
      echo "towpath: the command was stopped, it ran longer than timeoutSeconds=$timeout" >&2 ;;
    terminated)
      [ "$code" != 0 ] || code=143 ;;
  esac
  echo "$code${why:+ $why}" 2>/dev/null >&9
  exit "$code"
}

# Finds the image's own program: by itself this shell would prefer busybox's applets and its builtins.
find_program() {
  program='' refused=''
  case $1 in */*) program=$1; return ;; esac
  set -f
  IFS=:
  for folder in $PATH; do
    [ -f "${folder:-.}/$1" ] || continue
    if [ -x "${folder:-.}/$1" ]; then program=${folder:-.}/$1; break; fi
    refused=${folder:-.}/$1
  done
  unset IFS
  set +f
  [ -z "$program" ] || return 0
  if [ "$refused" ]; then
    echo "towpath: the command '$refused' is not executable" >&2
    exit 126
  fi
  echo "towpath: the command '$1' was not found in PATH=$PATH" >&2
  exit 127
}

# Becomes the command. Variables whose names sh cannot hold (a.b) are read from where the kernel keeps them.
become() {
  find_program "$1"
  name=$1
  shift
  strange=$("$bin/busybox" tr '\000\n' '\n\001' </proc/$$/environ | "$bin/busybox" grep -v '^[A-Za-z_][A-Za-z0-9_]*=')
  [ "$strange" ] || exec -a "$name" "$program" "$@"
  set -- "$program" "$@"
  set -f
  IFS='
'
  for variable in $strange; do
    variable=$(printf '%s.' "$variable" | "$bin/busybox" tr '\001' '\n')
    set -- "${variable%.}" "$@"
  done
  unset IFS
  exec "$bin/busybox" env "$@"
}

trap 'stop terminated' TERM INT QUIT HUP
trap 'stop timeout' USR1

# Opening waits until `publish` reads; a signal ends the waiting, and then nothing may block any more.
if ! command exec 9>"$bin/alive"; then
  [ "$why" ] || exit 125
  exec 9<>"$bin/alive"
fi 2>/dev/null
[ -z "$why" ] || finish 143
if [ $# = 0 ]; then
  echo "towpath: the step's command is empty; an image's ENTRYPOINT is not known here, so name it in 'command'" >&2
  finish 125
fi

# A TERM that met the child before it had dropped this shell's traps is pending: the first trap lets it act.
(
  trap 'exit 143' TERM
  trap - TERM
  become "$@"
) 9>&- &
child=$!
[ -z "$early" ] || kill -TERM "$child" 2>/dev/null

if [ "$timeout" ]; then
  "$bin/busybox" setsid "$bin/busybox" sh -c \
    '"$0" sleep "$1"; kill -USR1 "$2"; "$0" sleep "$3"; kill -KILL "$4"' \
    "$bin/busybox" "$timeout" $$ "$grace" "$child" 9>&- &
  timer=$!
fi

# A trap interrupts `wait`, and its answer then says nothing about the child: ask again.
while :; do
  interrupted=''
  wait "$child"
  code=$?
  [ "$interrupted" ] || break
done
finish "$code"
