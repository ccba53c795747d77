"""What hives and a swarm promise, case by case: each has tests that stand for it, which are there."""

from __future__ import annotations

from tests.kit.promises import Case, missing

CASES = (
    Case(1, "`ps -H all` is the sum; one frozen costs a second at most and hides no other.", (
        "hives/test_five.py::test_ps_of_all_is_the_sum_and_one_that_is_frozen_costs_a_second_and_hides_no_other",
        "hives/test_ssh.py::test_a_list_of_five_is_their_sum_and_a_frozen_one_costs_a_second_and_hides_nobody",
        "hives/test_gates.py::test_one_that_does_not_answer_hides_no_other",
    )),
    Case(2, "The link is cut, or the hive's supervisor killed, at any moment of a repeated `run`: it starts once.", (
        "hives/test_five.py::test_a_repeated_run_starts_once_whatever_is_lost_at_any_moment",
        "hives/test_ssh.py::test_a_repeated_run_starts_once_wherever_the_link_is_cut",
        "hives/test_keys.py::test_what_a_killed_daemon_had_begun_is_not_done_again",
        "hives/test_keys.py::test_nobody_answers_any_more_and_the_key_that_was_named_settles_it",
    )),
    Case(3, "Racing clients never overbook.", (
        "hives/test_five.py::test_racing_clients_never_overbook",
        "postgres/swarm/test_claims.py::test_posts_share_what_is_free_of_cpu_and_memory",
        "postgres/swarm/test_claims.py::test_limits_count_over_all_hives",
    )),
    Case(4, "`logs -f`, `attach` and `wait` over a cut of less than 10 s lose and double no byte.", (
        "hives/test_five.py::test_logs_and_wait_lose_and_double_no_byte_over_a_cut_of_five_seconds",
        "hives/test_five.py::test_a_terminal_types_on_after_a_cut_of_five_seconds",
        "hives/test_attach.py::test_a_cut_link_comes_back_and_no_byte_is_lost",
    )),
    Case(5, "500 posts and five racing hives: each is claimed once.", (
        "postgres/swarm/test_claims.py::test_500_posts_and_five_racing_hives_each_is_claimed_once",
        "postgres/swarm/test_tell.py::test_five_hives_that_exchange_at_once_do_each_post_once",
    )),
    Case(6, (
        "10,000 quests over five hives, which are killed meanwhile as their server is: each has one "
        "fence and one end."
    ), (
        "postgres/swarm/test_swarm_torture.py::test_10_000_posts_each_has_one_fence_at_a_time_and_one_end",
        "postgres/swarm/test_model.py::test_one_holder_fences_only_grow_and_no_end_is_lost",
        ("postgres/swarm/test_hive_torture.py::"
         "test_whatever_is_killed_and_cut_each_run_has_one_life_at_a_time_and_one_end"),
    )),
    Case(7, (
        "Cut off, what waits neither dies nor starts, and of what moves the old one's last breath "
        "precedes the new one's first."
    ), (
        "postgres/swarm/test_silences.py::test_a_hive_that_is_cut_off_keeps_what_waits_and_loses_what_moves",
        ("postgres/swarm/test_silences.py::"
         "test_what_a_hive_had_of_which_all_is_killed_for_good_has_ended_before_it_begins_elsewhere"),
        "postgres/swarm/test_silences.py::test_a_holder_that_stands_still_runs_once",
        ("postgres/swarm/test_hive_torture.py::"
         "test_whatever_is_killed_and_cut_each_run_has_one_life_at_a_time_and_one_end"),
    )),
    Case(8, (
        "With its supervisor dead and the link cut the keeper fences alone, also what is setsid and "
        "double-forked."
    ), (
        "postgres/swarm/test_silences.py::test_with_its_supervisor_dead_and_its_link_cut_the_keeper_fences_alone",
        ("core/keeper/test_leases.py::"
         "test_at_its_deadline_a_run_ends_with_its_whole_tree_and_its_neighbour_misses_nothing"),
        "faults/test_leases.py::test_the_keeper_ends_a_leased_tree_alone_and_the_next_supervisor_starts_nothing_of_it",
        "core/keeper/test_lease_watchdog.py::test_a_killed_keeper_takes_what_it_has_leased_with_it_and_nothing_else",
    )),
    Case(9, "A server that is frozen or down for less than the lease ends nothing.", (
        "postgres/swarm/test_silences.py::test_a_server_that_is_away_for_less_than_the_lease_ends_nothing",
        "postgres/swarm/test_rewinds.py::test_a_frozen_server_costs_no_more_than_an_answer_may_take",
    )),
    Case(10, "A lagging standby is promoted, an older dump restored: nothing starts twice, no end is lost.", (
        ("postgres/swarm/test_rewound_homes.py::"
         "test_a_standby_that_lagged_is_promoted_and_no_run_begins_twice_and_no_end_is_lost"),
        ("postgres/swarm/test_rewound_homes.py::"
         "test_an_older_dump_is_restored_and_no_run_begins_twice_and_no_end_or_output_is_lost"),
        ("postgres/swarm/test_rewinds.py::"
         "test_a_standby_that_lagged_is_promoted_and_nothing_begins_twice_and_no_end_is_lost"),
        "postgres/swarm/test_rewinds.py::test_an_older_dump_is_restored_and_nothing_begins_twice_and_no_end_is_lost",
    )),
    Case(11, "Wall clocks of server and hives that are a day off, or step, make no difference.", (
        "postgres/swarm/test_wrong_clocks.py::test_wall_clocks_a_day_off_and_stepping_make_no_difference",
    )),
    Case(12, "What a fenced holder tells, lands or hands on is `fenced`, and no ref moves.", (
        "postgres/swarm/test_quests.py::test_a_holder_that_is_frozen_between_check_and_push_lands_nothing_twice",
        ("postgres/swarm/test_claims.py::"
         "test_an_end_that_is_told_again_is_answered_as_before_and_an_older_fence_changes_nothing"),
        "postgres/swarm/test_tell.py::test_reports_and_ends_are_told_together_and_an_older_fence_changes_nothing",
    )),
    Case(13, "Needs over three hives: the third has the second's landed commit and outputs.", (
        ("postgres/swarm/test_quests.py::"
         "test_a_chain_of_three_is_done_by_three_hives_each_with_what_the_one_before_has_landed"),
        "postgres/swarm/test_claims.py::test_needs_are_counted_as_the_end_is_told",
    )),
    Case(14, "Killed while scaling 15 → 29 → 7 with a changed definition: exactly N, one replaced at a time.", (
        "postgres/swarm/test_fleet_torture.py::test_there_are_exactly_so_many_and_one_is_replaced_at_a_time",
        ("postgres/swarm/test_fleet_homes.py::"
         "test_hives_are_killed_while_a_fleet_is_scaled_and_changed_and_there_are_exactly_so_many"),
    )),
    Case(15, (
        "A viewer's key can't run, get a shell, forward or forge who asks, nor can a worker's login; a "
        "planted secret is in the vault alone."
    ), (
        "hives/test_five.py::test_a_viewers_key_cannot_run_get_a_shell_forward_or_be_somebody_else",
        "postgres/swarm/test_logins.py::test_each_function_as_each_role",
        "postgres/swarm/test_sessions.py::test_a_login_joins_under_its_own_name_and_speaks_for_its_own_session_only",
        "postgres/swarm/test_refused_roles.py::test_a_refusal_names_what_is_not_allowed_and_the_role_that_is_needed",
        "postgres/swarm/test_vault.py::test_a_secret_set_here_is_in_the_childs_environment_there_and_in_no_other_byte",
        "postgres/swarm/test_vault.py::test_workers_set_nothing_and_read_nobody_elses",
    )),
    Case(16, (
        "A pool's instance is killed, its job cancelled, its engine's controller killed: no process is "
        "left, no instance comes twice."
    ), (
        ("postgres/swarm/test_pools.py::"
         "test_an_instance_that_is_killed_leaves_no_process_and_its_name_never_joins_again"),
        "pools/test_slurm_pool.py::test_a_job_that_is_cancelled_leaves_nothing_and_its_work_goes_on_in_another_one",
        "pools/test_slurm_pool.py::test_a_controller_that_is_killed_and_comes_back_has_no_instance_twice",
        "pools/test_ray_pool.py::test_a_job_that_is_stopped_leaves_nothing_and_its_work_goes_on_in_another_one",
    )),
    Case(17, "Without hives and swarm nothing of them is ever imported.", (
        "hives/test_absence.py::test_no_command_loads_what_only_hives_and_a_swarm_need",
        "hives/test_absence.py::test_a_daemon_of_a_home_without_a_swarm_has_no_part_of_its_database",
        "hives/test_absence.py::test_hives_that_are_known_load_what_they_need_and_only_for_their_commands",
    )),
    Case(18, "Noise of a login, another version, too many sessions, a full disk: an error of that hive alone.", (
        "hives/test_five.py::test_noise_another_version_and_a_missing_program_are_errors_of_that_hive_alone",
        "hives/test_five.py::test_more_channels_than_a_server_allows_on_one_connection_are_all_served",
        "hives/test_five.py::test_a_full_disk_is_an_error_of_that_hive_alone",
    )),
    Case(19, "The missions of a hive outlive all others.", (
        "hives/test_five.py::test_the_missions_of_a_hive_outlive_all_others",
    )),
)  # fmt: skip


def test_each_case_has_tests():
    assert [case.number for case in CASES] == list(range(1, 20))
    assert not [case.number for case in CASES if not case.tests]


def test_each_test_of_a_case_is_there():
    assert not missing(CASES)
