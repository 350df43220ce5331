# Stands in for a computer that restarts: the agent runs until the fake systemctl ends it, and is started again.
# usage: agent-loop.sh FOLDER NODE SETTINGS
# /mnt is this computer's own disk; what is in FOLDER/bin comes before the system's programs.
mount -t tmpfs none /mnt || exit 1
export PATH="$1/bin:$PATH"
while :; do
  # The agent ends with this shell, however that ends.
  setpriv --pdeathsig KILL "$2" --disable-warning=ExperimentalWarning src/agent/main.ts run --config "$3"
  sleep 0.2
done
