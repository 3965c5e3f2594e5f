import joblib


def init():
    global model
    model = joblib.load("model.pkl")


def run(data):
    return model.predict(data).tolist()
