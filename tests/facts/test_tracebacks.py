"""Tracebacks as facts, in the shapes that CPython, IPython and the Azure ML servers print."""

from __future__ import annotations

import pytest
from evidence import log

from diagnose.facts.tracebacks import tracebacks

SERVER = "/usr/local/lib/python3.11/dist-packages/azureml_inference_server_http/server"

INIT = f"""\
2026-11-22T12:03:41.093880251Z 2026-11-22 12:03:41,093 E [7] azmlinfsrv - User's init function failed
2026-11-22T12:03:41.095738638Z 2026-11-22 12:03:41,095 E [7] azmlinfsrv - Encountered Exception Traceback (most recent call last):
2026-11-22T12:03:41.095752061Z   File "{SERVER}/user_script.py", line 119, in invoke_init
2026-11-22T12:03:41.095753000Z     self._user_init()
2026-11-22T12:03:41.095754000Z   File "/var/azureml-app/score.py", line 6, in init
2026-11-22T12:03:41.095755000Z     path = Model.get_model_path('my-best-model')
2026-11-22T12:03:41.095756000Z            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
2026-11-22T12:03:41.095757000Z   File "/usr/local/lib/python3.11/dist-packages/azureml/core/model.py", line 784, in get_model_path
2026-11-22T12:03:41.095758000Z     return Model._get_model_path_local(model_name, version)
2026-11-22T12:03:41.095759000Z azureml.exceptions._azureml_exception.ModelNotFoundException: ModelNotFoundException:
2026-11-22T12:03:41.095760000Z \tMessage: Model my-best-model not found
2026-11-22T12:03:41.095761000Z 
2026-11-22T12:03:41.095762000Z The above exception was the direct cause of the following exception:
2026-11-22T12:03:41.095763000Z 
2026-11-22T12:03:41.095764000Z Traceback (most recent call last):
2026-11-22T12:03:41.095765000Z   File "{SERVER}/aml_blueprint.py", line 109, in setup
2026-11-22T12:03:41.095766000Z     self.user_script.invoke_init()
2026-11-22T12:03:41.095767000Z azureml_inference_server_http.server.user_script.UserScriptException: Caught an unhandled exception
2026-11-22T12:03:41.095768000Z 
2026-11-22T12:03:41.989334355Z 2026-11-22 12:03:41,989 E [1] gunicorn.error - Reason: Worker failed to boot.
"""


def test_a_failed_init_is_told_by_the_users_own_line_and_the_first_exception() -> None:
    (found,) = tracebacks(log(INIT))
    assert (found.line, found.phase, found.file, found.file_line, found.function) == (
        2, "init", "/var/azureml-app/score.py", 6, "init",
    )  # fmt: skip
    assert found.exception == "azureml.exceptions._azureml_exception.ModelNotFoundException"
    assert "Model my-best-model not found" in found.message
    assert found.code == "path = Model.get_model_path('my-best-model')"
    assert found.wrapped_by == ("azureml_inference_server_http.server.user_script.UserScriptException",)
    assert (found.raised_function, found.fatal, found.recovered, found.logged_as) == (
        "get_model_path", True, False, "error",
    )  # fmt: skip
    assert found.time is not None
    assert found.time.second == 41


def test_a_log_without_a_traceback_has_none() -> None:
    assert tracebacks(log("Traceback was not printed\nall is well")) == []


def test_a_traceback_cut_off_by_the_end_of_the_log_is_left_out() -> None:
    assert tracebacks(log(INIT[:900].rsplit("\n", 1)[0])) == []


def test_an_import_at_the_top_of_the_script_fails_in_phase_import() -> None:
    text = f"""\
        2026-11-22 12:03:41,095 E [7] azmlinfsrv - Traceback (most recent call last):
          File "{SERVER}/user_script.py", line 77, in load_script
            main_module_spec.loader.exec_module(user_module)
          File "<frozen importlib._bootstrap_external>", line 940, in exec_module
          File "/var/azureml-app/score.py", line 3, in <module>
            import joblib
        ModuleNotFoundError: No module named 'joblib'
    """
    (found,) = tracebacks(log(text))
    assert (found.phase, found.exception, found.message, found.file_line) == (
        "import", "ModuleNotFoundError", "No module named 'joblib'", 3,
    )  # fmt: skip


def test_a_syntax_error_has_the_line_it_stands_on() -> None:
    text = f"""\
        Traceback (most recent call last):
          File "{SERVER}/user_script.py", line 77, in load_script
            main_module_spec.loader.exec_module(user_module)
          File "/var/azureml-app/score.py", line 4
            def init(
                    ^
        SyntaxError: '(' was never closed
    """
    (found,) = tracebacks(log(text))
    assert (found.exception, found.file, found.file_line, found.phase) == (
        "SyntaxError", "/var/azureml-app/score.py", 4, "import",
    )  # fmt: skip


V1_RUN = """\
Encountered Exception: Traceback (most recent call last):
  File "/var/azureml-server/app.py", line 282, in invoke_user_with_timer
    result = user_main.run(**params)
  File "/var/azureml-app/main.py", line 55, in run
    return_obj = driver_module.run(**arguments)
  File "score.py", line 12, in run
    return model.predict(data)
ValueError: X has 3 features, but Ridge is expecting 10 features as input.

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/var/azureml-server/app.py", line 226, in run_scoring
    raise RunFunctionException(str(exc))
run_function_exception.RunFunctionException
127.0.0.1 - - [09/Oct/2018:08:00:13 +0000] "POST /score HTTP/1.0" 502 55 "-" "python-requests/2.19.1"
"""


def test_the_v1_server_wraps_what_run_raised() -> None:
    (found,) = tracebacks(log(V1_RUN))
    assert (found.phase, found.exception, found.file, found.file_line, found.code) == (
        "run", "ValueError", "score.py", 12, "return model.predict(data)",
    )  # fmt: skip


def test_an_error_while_handling_an_error_of_ones_own_is_the_one_that_counts() -> None:
    text = """\
        Traceback (most recent call last):
          File "/app/score.py", line 3, in init
            load()
        OSError: not there

        During handling of the above exception, another exception occurred:

        Traceback (most recent call last):
          File "/app/score.py", line 5, in init
            fallback()
        ValueError: no fallback either
    """
    (found,) = tracebacks(log(text))
    assert (found.exception, found.file_line, found.wrapped_by) == ("ValueError", 5, ("OSError",))


def test_a_warning_that_the_server_survived_says_so() -> None:
    text = """\
        2024-01-18 13:05:46,105 W [152] azmlinfsrv - compatibility patch for Flask 1 has failed.
        Traceback (most recent call last):
          File "/x/site-packages/azureml_inference_server_http/server/create_app.py", line 33, in patch_flask
            patch()
        AttributeError: module 'werkzeug' has no attribute '__version__'

        2024-01-18 13:05:46,133 I [152] azmlinfsrv - Worker with pid 152 ready for serving traffic
    """
    (found,) = tracebacks(log(text))
    assert (found.logged_as, found.recovered, found.phase, found.file) == ("warning", True, "server", "")


def test_an_ordinary_line_in_front_of_an_uncaught_exception_is_no_warning() -> None:
    text = """\
        INFO:root:Copying contents of /mnt/models to local
        Traceback (most recent call last):
          File "/app/server/model.py", line 32, in load
            open(path)
        FileNotFoundError: [Errno 2] No such file or directory: '/mnt/models/model.joblib'
    """
    (found,) = tracebacks(log(text))
    assert found.logged_as == "error"


def test_a_notebook_prints_frames_its_own_way() -> None:
    text = """\
TypeError                                 Traceback (most recent call last)
<ipython-input-33-ca5a737270c0> in <module>()
      2 test = json.dumps({'data': 1})
----> 4 result = json.loads(service.run(input_data = test))
      5 residual = result

~/anaconda3/lib/python3.6/json/__init__.py in loads(s, encoding)
    346         if not isinstance(s, str):
--> 348                             'not list')

TypeError: the JSON object must be str, bytes or bytearray, not 'list'
"""
    (found,) = tracebacks(log(text, stream="logs.deployment"))
    assert (found.exception, found.message, found.stream) == (
        "TypeError", "the JSON object must be str, bytes or bytearray, not 'list'", "logs.deployment",
    )  # fmt: skip
    assert found.raised_in.endswith("json/__init__.py")


def test_two_tracebacks_in_one_log_are_two_facts() -> None:
    assert [found.line for found in tracebacks(log(V1_RUN + V1_RUN))] == [1, 17]


def test_a_message_of_several_lines_is_kept() -> None:
    text = """\
        Traceback (most recent call last):
          File "score.py", line 2, in init
            load()
        ValueError: node array from the pickle has an incompatible dtype:
        - expected: a
        - got     : b

        2024-03-04 14:11:28,082 I [152] azmlinfsrv - Model Directory Contents:
    """
    (found,) = tracebacks(log(text))
    assert found.message.split("\n")[1:] == ["- expected: a", "- got     : b"]


@pytest.mark.parametrize(
    ("frames", "phase"),
    [
        ('  File "/app/Model.py", line 14, in __init__\n    os.makedirs("/app/cache")', "init"),
        ('  File "/app/model.py", line 14, in load\n    joblib.load("x")', "init"),
        ('  File "/app/model.py", line 14, in predict\n    self.model.predict(x)', "run"),
        ('  File "/x/site-packages/mlserver/settings.py", line 7, in <module>\n    from pydantic import x', "server"),
        ('  File "/app/train.py", line 1, in helper\n    1 / 0', "other"),
        (
            '  File "/x/site-packages/starlette/routing.py", line 692, in lifespan\n    async with x\n'
            '  File "/app/main.py", line 21, in start\n    load_model()',
            "init",
        ),
        (
            '  File "/x/site-packages/fastapi/routing.py", line 191, in run_endpoint_function\n    return await x\n'
            '  File "/app/main.py", line 40, in load\n    load_model()',
            "run",
        ),
        (
            '  File "/x/site-packages/uvicorn/importer.py", line 22, in import_from_string\n    import x\n'
            '  File "/app/main.py", line 3, in <module>\n    import torch',
            "import",
        ),
    ],
)
def test_other_servers_have_the_same_phases(frames: str, phase: str) -> None:
    (found,) = tracebacks(log(f"Traceback (most recent call last):\n{frames}\nOSError: no\n"))
    assert found.phase == phase


def test_what_a_program_prints_after_a_message_of_one_line_is_none_of_it() -> None:
    text = """\
Traceback (most recent call last):
  File "<string>", line 4, in <module>
FileNotFoundError: [Errno 2] No such file or directory: '/models/churn.pkl'
starting
"""
    (found,) = tracebacks(log(text))
    assert found.message == "[Errno 2] No such file or directory: '/models/churn.pkl'"
    assert (found.file, found.file_line, found.phase) == ("<string>", 4, "import")
