"""The conductor: candidates agree first, take turns, and no failure stops the others."""

from collections import defaultdict

import pytest
from fake_workers import ANSWERS, OURS, PEER, PLAN, THIRD, conductor, workload

from isograd.backend.errors import DeviceUnavailableError
from isograd.benchmarks.bench import run
from isograd.benchmarks.bench.conductor import Block, Measured, Plan, ratios

OTHER_RESULTS = {**ANSWERS["set_up"], "outputs": {"y": [1.0, 2.1]}}
NO_MEMORY = {"error": "out of memory", "reason": "Unable to allocate 4 TiB"}


def asked(log, what):
    """Who was asked for this, in order."""
    return [name for name, do in log if do == what]


def test_blocks_take_turns_and_each_round_begins_with_another(tmp_path):
    made, log = conductor(tmp_path)
    made.measure(workload(), {})
    assert asked(log, "block") == ["isograd", "torch", "torch", "isograd"] * 2


def test_nothing_is_timed_before_all_results_are_compared(tmp_path):
    made, log = conductor(tmp_path)
    made.measure(workload(), {})
    order = [do for _, do in log if do in ("set_up", "warm", "block")]
    assert order[:2] == ["set_up", "set_up"]
    assert "set_up" not in order[2:]


def test_a_candidate_that_disagrees_is_named_and_never_timed(tmp_path):
    made, log = conductor(tmp_path, {"torch": {"set_up": OTHER_RESULTS}})
    measured = {}
    made.measure(workload(), measured)
    assert measured["torch cpu"].record() == {
        "status": "disagrees",
        "reason": "y differs by 5.0e-02 of its largest number from isograd cpu, more than 1e-04",
    }
    assert "torch" not in asked(log, "block")
    assert measured["isograd cpu"].record()["status"] == "ok"


def test_a_disturbed_block_is_measured_again_and_counted(tmp_path):
    blocks = [{"seconds": 9.0, "lost": 0.5}, {"seconds": 1.0, "lost": 0.01}]
    made, _ = conductor(tmp_path, {"torch": {"block": blocks}})
    measured = {}
    made.measure(workload(), measured)
    record = measured["torch cpu"].record()
    assert record["blocks"] == [1.0] * PLAN.rounds
    assert (record["disturbed"], record["kept_disturbed"]) == (1, 0)


def test_when_the_retries_are_used_up_the_least_disturbed_block_counts(tmp_path):
    blocks = [{"seconds": 8.0, "lost": lost} for lost in (0.9, 0.8, 0.7)]
    plan = {"block": [*blocks[:1], {"seconds": 2.0, "lost": 0.2}, *blocks]}
    made, _ = conductor(tmp_path, {"torch": plan})
    measured = {}
    made.measure(workload(), measured)
    record = measured["torch cpu"].record()
    assert record["blocks"][0] == 2.0
    assert (record["disturbed"], record["kept_disturbed"]) == (5, 3)


def test_out_of_memory_is_named_and_the_others_go_on(tmp_path):
    made, log = conductor(tmp_path, {"torch": {"set_up": [NO_MEMORY]}})
    first, second = {}, {}
    made.measure(workload("group/one"), first)
    made.measure(workload("group/two"), second)
    assert first["torch cpu"].record() == {"status": "out of memory", "reason": NO_MEMORY["reason"]}
    assert first["isograd cpu"].record()["status"] == "ok"
    assert second["torch cpu"].record()["status"] == "ok"
    assert asked(log, "load") == ["isograd", "torch", "torch"]  # in a new process


def test_a_process_that_dies_while_it_is_timed_leaves_the_others_their_blocks(tmp_path):
    made, _ = conductor(tmp_path, {"torch": {"block": [{"seconds": 1.0, "lost": 0.0}, "dies"]}})
    measured = {}
    made.measure(workload(), measured)
    assert measured["torch cpu"].record()["status"] == "out of memory"
    assert len(measured["isograd cpu"].blocks) == PLAN.rounds


def test_what_failed_once_is_not_tried_in_the_next_pass(tmp_path):
    made, log = conductor(tmp_path, {"torch": {"set_up": [NO_MEMORY]}})
    measured = {}
    made.measure(workload(), measured)
    made.measure(workload(), measured)
    assert asked(log, "set_up") == ["isograd", "torch", "isograd"]
    assert len(measured["isograd cpu"].blocks) == 2 * PLAN.rounds


def test_the_variant_that_the_first_pass_chose_is_kept(tmp_path):
    chosen = {**ANSWERS["set_up"], "variant": "1 thread"}
    made, _ = conductor(tmp_path, {"torch": {"set_up": [chosen]}})
    worker = made._workers[PEER]
    variants = []
    ask = worker.ask

    def noting(do, **inputs):
        if do == "set_up":
            variants.append(inputs["variant"])
        return ask(do, **inputs)

    worker.ask = noting
    measured = {}
    made.measure(workload(), measured)
    made.measure(workload(), measured)
    assert variants == [None, "1 thread"]


@pytest.mark.parametrize(("seconds", "rounds"), [(1.0, 3), (40.0, 4), (75.0, 8)])
def test_slow_work_stops_after_its_time_and_three_rounds(tmp_path, seconds, rounds):
    made, _ = conductor(tmp_path, plan=Plan(rounds=9, seconds=seconds))
    measured = {}
    made.measure(workload(), measured)  # 10 calls a block, a second each
    assert len(measured["isograd cpu"].blocks) == rounds


def test_every_pass_has_blocks_of_its_own_and_only_the_first_compares_results(tmp_path):
    plans = {"torch": {"set_up": [ANSWERS["set_up"], OTHER_RESULTS]}}
    made, _ = conductor(tmp_path, plans)
    measured = {}
    made.measure(workload(), measured)
    made.measure(workload(), measured)  # other results would disagree
    record = measured["torch cpu"].record()
    assert record["blocks_a_pass"] == [PLAN.rounds, PLAN.rounds]


def quiet(seconds):
    return [Block(seconds)] * 3


def disturbed(seconds):
    return [Block(seconds, True)] * 3


def ratio_of(ours, others):
    """The ratio of passes to passes."""
    table = {OURS.name: Measured(ours), PEER.name: Measured(others)}
    (found,) = ratios(table, [OURS, PEER])
    return found["ratio"]


def test_passes_that_others_disturbed_do_not_count_where_three_are_quiet():
    ours = [quiet(1.0)] * 4
    assert ratio_of(ours, [disturbed(50.0), *[quiet(2.0)] * 3]) == pytest.approx(0.5)
    few = ratio_of(ours[:3], [disturbed(50.0), *[quiet(2.0)] * 2])
    assert few == pytest.approx((0.02 * 0.5 * 0.5) ** (1 / 3))


def test_the_median_leaves_disturbed_blocks_out_unless_they_are_most():
    few = Measured([[Block(1.0), Block(2.0), Block(9.0, True), Block(9.0, True)]]).record()
    assert (few["median"], few["upper_decile"], few["kept_disturbed"]) == (1.5, 1.9, 2)
    most = Measured([[Block(1.0), *disturbed(9.0)]]).record()
    assert most["median"] == 9.0


def test_a_library_without_the_workload_takes_no_part(tmp_path):
    made, log = conductor(tmp_path)
    made.measure(workload(libraries=("isograd",)), {})
    assert "torch" not in asked(log, "set_up")


def test_work_between_devices_is_not_for_the_cpu():
    transfer = workload(on="gpu")
    assert not transfer.runs_on("isograd", "cpu")
    assert transfer.runs_on("isograd", "cuda:0")


def test_a_peer_that_cannot_use_the_device_is_left_out_with_its_reason(tmp_path):
    no_gpu = {"error": "no device", "reason": "torch finds no GPU"}
    made, _ = conductor(tmp_path, {"torch": {"load": no_gpu}})
    assert made.left_out == ["torch cpu takes no part: torch finds no GPU"]
    assert list(made.versions) == [OURS]


def test_our_own_device_that_is_not_there_is_an_error(tmp_path):
    no_gpu = {"error": "no device", "reason": "cuda: CuPy is not installed"}
    with pytest.raises(DeviceUnavailableError, match="CuPy is not installed"):
        conductor(tmp_path, {"isograd": {"load": no_gpu}})


def test_ratios_are_of_ours_to_others_on_its_device_and_to_our_other_devices(tmp_path):
    gpu = type(OURS)("isograd", "cuda")
    made, _ = conductor(tmp_path, candidates=(OURS, gpu, PEER, THIRD))
    measured = {}
    made.measure(workload(), measured)
    pairs = [(one["ours"], one["other"]) for one in ratios(measured, list(made.versions))]
    assert pairs == [
        ("isograd cpu", "torch cpu"),
        ("isograd cpu", "numpy cpu"),
        ("isograd cuda", "isograd cpu"),
    ]


def test_no_workload_begins_when_the_time_is_up(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(run, "monotonic", lambda: now[0])
    made, _ = conductor(tmp_path, plan=Plan(rounds=1, limit_seconds=25.0))
    measure = made.measure

    def ten_seconds(*arguments):
        measure(*arguments)
        now[0] += 10.0

    made.measure = ten_seconds
    table = defaultdict(dict)
    run._measure_all(made, [workload("a/one"), workload("a/two")], True, table)
    passes = {name: len(one["isograd cpu"].passes) for name, one in table.items()}
    assert passes == {"a/one": 2, "a/two": 1}
    assert made.n_passes == 2
    assert not made._workers


def test_without_a_limit_all_passes_are_done(tmp_path):
    made, log = conductor(tmp_path, plan=Plan(rounds=1))
    run._measure_all(made, [workload("a/one")], True, defaultdict(dict))
    assert made.n_passes == Plan().passes == asked(log, "block").count("isograd")
