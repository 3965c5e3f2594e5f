import json


def init():
    print("model loaded", flush=True)


def run(data):
    return {"rows": len(json.loads(data)["data"])}
