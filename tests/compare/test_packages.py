"""Package versions as build logs print them: pip, conda, mamba, BuildKit."""

from __future__ import annotations

import pytest
from sides import collected, missing

from diagnose.compare.packages import changes_of
from diagnose.model import Chunk, Evidence, Log, Missing, Subject, Why

UNNAMED = "not named in the build log"


def built(text: str, *gaps: Missing, cut: str = "", first_line: int = 1) -> Evidence:
    chunks = (Chunk(first_line, text),)
    log = Log(stream="logs.build", source="build.log", subject=Subject("azure"), chunks=chunks, cut=cut)
    return collected({}, *gaps, logs={"logs.build": (log,)})


def versions(before: str, after: str) -> list[tuple[str, str, str]]:
    changes, gaps = changes_of(built(before), built(after))
    assert gaps == []
    return [(change.what, change.before, change.after) for change in changes]


PIP = "Successfully installed azureml-core-1.34.0 numpy-1.21.2 typing-extensions-3.10.0.2"


def test_a_package_with_another_version_is_told() -> None:
    assert versions(PIP, PIP.replace("1.21.2", "1.26.4")) == [("numpy", "1.21.2", "1.26.4")]
    assert versions(PIP, PIP) == []


def test_a_package_that_one_build_does_not_name_need_not_be_gone() -> None:
    more = f"{PIP} torch-1.10.0+cu113"
    assert versions(PIP, more) == [("torch", UNNAMED, "1.10.0+cu113")]
    assert versions(more, PIP) == [("torch", "1.10.0+cu113", UNNAMED)]


def test_versions_that_changed_come_before_names_that_one_build_lacks() -> None:
    told = versions(f"{PIP} a-1.0", f"{PIP} b-1.0".replace("1.21.2", "1.26.4"))
    assert [name for name, _, _ in told] == ["numpy", "a", "b"]


@pytest.mark.parametrize(
    "line",
    [
        "Successfully installed pip-21.0 Typing_Extensions-3.10.0.2",
        "2026-11-22T12:00:00.1234567Z Successfully installed pip-21.0 typing.extensions-3.10.0.2",
        "#9 34.56 Successfully installed pip-21.0 typing-extensions-3.10.0.2",
        "2026-11-22T12:00:00: #9 34.56 Pip subprocess output: Successfully installed pip-21.0 typing-extensions-3.10.0.2",
        "pip-21.0 | 1.1 MB | ##### | 100%\ntyping-extensions-3.10.0.2 | 28 KB     | ########## | 100% ",
        "\rpip-21.0             | 1.1 MB    |            |   0% \rpip-21.0 | 1.1 MB | #### | 100%\n"
        "typing_extensions-3. | 28 KB     | ########## | 100%\n  typing_extensions-3.10.0.2   | 28 KB  | ## | 100% ",
        "  pip                pkgs/main/linux-64::pip-21.0-py37h06a4308_0\n"
        "  typing_extensions  pkgs/main/noarch::typing_extensions-3.10.0.2-pyh06a4308_0",
        "  pip    20.0-py37_0 --> 21.0-py37h06a4308_0\n"
        "  typing_extensions  conda-forge::typing-extensions-3.7-0 --> pkgs/main::typing_extensions-3.10.0.2-pyh06a4308_0",
        "  + pip                  21.0  py37h06a4308_0  conda-forge/linux-64     1MB\n"
        "  + typing_extensions  3.10.0.2  pyh06a4308_0  conda-forge/noarch     28kB",
        "# packages in environment at /azureml-envs/azureml_1:\n#\n"
        "# Name                    Version                   Build  Channel\n"
        "pip                       21.0             py37h06a4308_0\n"
        "typing_extensions         3.10.0.2           pyh06a4308_0    conda-forge\n",
        "pip=21.0=py37h06a4308_0\ntyping_extensions=3.10.0.2=pyh06a4308_0",
        "  - pip=21.0=py37h06a4308_0\n  - typing-extensions=3.10.0.2=pyh06a4308_0",
    ],
)
def test_every_way_of_naming_a_package_is_read(line: str) -> None:
    told = versions("Successfully installed pip-20.0 typing-extensions-3.10.0.2", line)
    assert told == [("pip", "20.0", "21.0")]


def test_what_was_installed_last_counts() -> None:
    both = "Successfully installed numpy-1.20.0\nFound existing installation: numpy 1.20.0\n" + PIP
    assert versions(both, PIP) == []


@pytest.mark.parametrize(
    "line",
    [
        "Collecting numpy==1.26.4",
        "Downloading numpy-1.26.4-cp311-cp311-manylinux_2_17_x86_64.whl (18.2 MB)",
        "Requirement already satisfied: numpy in /opt (1.26.4)",
        "ERROR: Could not find a version that satisfies the requirement numpy==1.26.4",
        "SELECT a FROM numpy",
        "numpy     1.26.4     py37_0",
    ],
)
def test_what_only_speaks_of_a_package_installs_none(line: str) -> None:
    assert versions(PIP, f"{PIP}\n{line}") == []


def test_a_version_that_conda_cut_off_is_none() -> None:
    cut = "pip-21.0             | 1 MB | ### | 100%\ntyping_extensions-3. | 28 KB     | ### | 100%\n"
    assert versions(cut, "Successfully installed pip-21.0 typing-extensions-3.10.0.2") == [
        ("typing-extensions", UNNAMED, "3.10.0.2")
    ]


def test_a_list_ends_where_its_lines_do() -> None:
    listing = "# Name  Version  Build  Channel\npip  21.0  py37_0\nDone.\nnumpy  1.26.4  py37_0\n"
    assert versions(listing, listing.replace("1.26.4", "2.0.0")) == []
    assert versions(listing, listing.replace("21.0", "22.0")) == [("pip", "21.0", "22.0")]


@pytest.mark.parametrize(
    "line",
    [
        "Step 1/15 : FROM mcr.microsoft.com/azureml/base:{}",
        "#5 [1/6] FROM mcr.microsoft.com/azureml/base:{}",
        "#5 [internal stage-1 1/6] FROM --platform=linux/amd64 mcr.microsoft.com/azureml/base:{}",
        "FROM mcr.microsoft.com/azureml/base:{} AS build",
    ],
)
def test_the_base_image_is_told_with_the_image(line: str) -> None:
    changes, _ = changes_of(built(line.format("1")), built(line.format("2")))
    assert [(c.area, c.what, c.before[-6:], c.after[-6:]) for c in changes] == [
        ("image", "base image", "base:1", "base:2")
    ]


def test_a_version_names_the_lines_that_tell_it() -> None:
    changes, _ = changes_of(built(PIP, first_line=40), built("some\n" + PIP.replace("1.21.2", "2.0.0"), first_line=80))
    assert changes[0].sources == ("build.log:40", "build.log:81")


# --- what is not known ---


def test_a_build_log_that_only_one_side_has_says_nothing() -> None:
    changes, (gap,) = changes_of(built(PIP), collected({}))
    assert (changes, gap.what, gap.why) == ([], "packages in the image", "AFTER: has no build log")


def test_a_build_log_that_was_refused_says_why() -> None:
    _, (gap,) = changes_of(collected({}, missing("logs.build", "the build log of env:3")), built(PIP))
    assert gap.why == "BEFORE: the build log of env:3 (denied, needs more rights)"


def test_a_build_log_without_packages_is_said() -> None:
    _, (gap,) = changes_of(built("all from the cache"), built(PIP))
    assert gap.why == "BEFORE: image build logs name no packages"


def test_where_nobody_builds_an_image_there_is_nothing_to_say() -> None:
    nothing = missing("logs.build", why=Why.NOT_SUPPLIED)
    assert changes_of(collected({}), collected({}, nothing)) == ([], [])


def test_a_log_that_was_cut_names_only_some_packages() -> None:
    short = built("Successfully installed numpy-1.26.4", cut="build.log: of 90 MB only the end was read")
    changes, (gap,) = changes_of(built(PIP), short)
    assert [(change.what, change.after) for change in changes] == [("numpy", "1.26.4")]
    assert "only the end was read" in gap.why


@pytest.mark.parametrize("filler", ["a-", "1", "a-1", " ", "a ", "-", ".", "a=1", "::", "a::b-1-"])
def test_a_line_made_to_take_long_takes_no_time(filler: str) -> None:
    line = filler * 40_000
    text = f"Successfully installed x-1.0 {line}\n{line}\n# Name  Version  Build\n{line}\nFROM {line}\n"
    whole = built(text)
    assert changes_of(whole, whole) == ([], [])
