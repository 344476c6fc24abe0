#!/usr/bin/env python3
"""A Martlet sink: appends a line to a file for each record, and rejects those without an actor.

{"type": "exec", "command": ["python3", "audit.py"], "options": {"file": "audit.log"}}
"""
import json
import os
import sys

hello = json.loads(sys.stdin.readline())
log = open(hello["options"]["file"], "a")
print(json.dumps({"type": "ready", "protocol": 1}), flush=True)

for line in sys.stdin:  # ends when the host closes it
    batch = json.loads(line)
    results = []
    for record in batch["records"]:
        if "actor" in record["payload"]:
            log.write(f"{record['id']} {record['payload']['actor']}\n")
            results.append("ok")
        else:
            results.append({"reject": "the payload has no actor"})
    log.flush()
    os.fsync(log.fileno())  # before the batch counts as handled
    print(json.dumps({"type": "results", "id": batch["id"], "results": results}), flush=True)
