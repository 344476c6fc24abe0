#!/bin/sh
# A Martlet source: the load of this machine, every INTERVAL seconds.
# {"type": "exec", "command": ["sh", "load.sh"], "environment": {"INTERVAL": "10"}, "publish": {"topic": "load"}}
read -r hello || exit 0
echo '{"type":"ready","protocol":1}'
number=0
while :; do
  read -r one five rest < /proc/loadavg
  number=$((number + 1))
  event="{\"type\":\"events\",\"id\":$number,\"events\":[{\"payload\":{\"one\":$one,\"five\":$five}}]}"
  while :; do
    echo "$event"
    read -r results || exit 0 # the host has closed our input: it stops
    case $results in *'"retry"'*) sleep 1 ;; *) break ;; esac
  done
  sleep "${INTERVAL:-10}"
done
