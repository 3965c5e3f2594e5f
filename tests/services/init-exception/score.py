settings = {"threshold": 0.5}


def load_model():
    return settings["model_name"]


def init():
    global model
    model = load_model()


def run(data):
    return {"model": model}
