#!/usr/bin/env python3
"""A Martlet sink: posts each record's text to a chat.

{"type": "exec", "command": ["python3", "chat.py"], "options": {"url": "https://chat.example.com/hooks/1"}}
"""
import json
import sys
import urllib.error
import urllib.request

hello = json.loads(sys.stdin.readline())
print(json.dumps({"type": "ready", "protocol": 1}), flush=True)


def post(record):
    body = json.dumps({"text": record["payload"].get("text", "")}).encode()
    try:
        request = urllib.request.Request(hello["options"]["url"], body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=10).close()
        return "ok"
    except urllib.error.HTTPError as error:  # 400 and the like are the record's own fault
        return {"reject" if error.code in (400, 413, 422) else "retry": str(error)}
    except OSError as error:
        return {"retry": str(error)}


for line in sys.stdin:
    batch = json.loads(line)
    print(json.dumps({"type": "results", "id": batch["id"], "results": [post(record) for record in batch["records"]]}), flush=True)
