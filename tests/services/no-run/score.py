def init():
    print("model loaded", flush=True)


def score(data):
    return {"result": 1}
