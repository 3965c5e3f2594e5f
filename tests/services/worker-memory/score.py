import time


def init():
    weights = []
    while True:
        weights.append(bytearray(16 * 1024 * 1024))
        time.sleep(0.05)


def run(data):
    return {"result": 1}
