def init():
    return 1 / 0


def run(data):
    return {"result": 1}
