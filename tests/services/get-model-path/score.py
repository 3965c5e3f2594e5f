from azureml.core.model import Model


def init():
    global model_path
    model_path = Model.get_model_path("my-best-model")


def run(data):
    return {"model": model_path}
