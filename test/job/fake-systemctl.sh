#!/bin/sh
# Restarts nothing but the agent that called it.
echo "$*" >> "${0%/*}/systemctl.log"
kill -9 "$PPID"
