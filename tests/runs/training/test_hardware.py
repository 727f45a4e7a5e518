"""The BLAS kernel and the threads that a training is given."""

import os

import pytest

from app.runs.training.hardware import AVX512, computing, cores, kernel_environment, share, worker_environment


def cpuinfo(tmp_path, vendor, flags):
    path = tmp_path / "cpuinfo"
    path.write_text(f"processor\t: 0\nvendor_id\t: {vendor}\nflags\t\t: fpu {' '.join(flags)}\n\nprocessor\t: 1\n")
    return path


def test_an_amd_processor_with_avx_512_gets_the_kernel_that_uses_it(tmp_path):
    assert kernel_environment("auto", cpuinfo(tmp_path, "AuthenticAMD", AVX512)) == {"OPENBLAS_CORETYPE": "SkylakeX"}


@pytest.mark.parametrize("missing", sorted(AVX512))
def test_a_processor_that_lacks_one_instruction_set_never_does(tmp_path, missing):
    assert kernel_environment("auto", cpuinfo(tmp_path, "AuthenticAMD", AVX512 - {missing})) == {}


def test_other_processors_other_systems_and_one_s_own_choice_are_left_alone(tmp_path):
    assert kernel_environment("auto", cpuinfo(tmp_path, "GenuineIntel", AVX512)) == {}
    assert kernel_environment("auto", tmp_path / "nowhere") == {}
    able = cpuinfo(tmp_path, "AuthenticAMD", AVX512)
    assert kernel_environment("environment", able) == {}
    assert kernel_environment("Haswell", able) == {"OPENBLAS_CORETYPE": "Haswell"}
    odd = tmp_path / "odd"
    odd.write_bytes(b"\xff\xfe no colon here")
    assert kernel_environment("auto", odd) == {}


def test_blas_gets_the_processors_that_one_s_own_threads_leave():
    with computing(1) as alone:
        assert alone["processes"] == 1
        assert alone["blas_threads"] in (int(os.environ.get("OPENBLAS_NUM_THREADS", cores())), None)
    with computing(cores()) as shared:
        assert shared["blas_threads"] in (1, None)


def test_trainings_at_once_share_the_processors_before_numpy_is_there():
    for workers in (1, cores(), 64):
        threads = worker_environment("environment", workers)
        assert threads["OPENBLAS_NUM_THREADS"] == threads["OMP_NUM_THREADS"] == str(share(workers))
    assert (share(1), share(64)) == (cores(), 1)
    assert worker_environment("Haswell", 1)["OPENBLAS_CORETYPE"] == "Haswell"
