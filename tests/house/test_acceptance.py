"""The promises of the faces, case by case: each has tests that stand for it, which are there."""

from __future__ import annotations

import pytest

from tests.kit.promises import Case, missing

WEB = (
    Case(1, "A fresh link shows rows, and its token stands in no address, history, log or argument.", (
        "web/test_login.py::test_a_fresh_link_shows_rows_and_its_token_stands_nowhere",
        "web_server/test_logins.py::test_no_secret_is_in_any_log_list_or_argument",
        "web_server/test_serving.py::test_a_browser_is_sent_to_the_link_by_a_file_and_no_program_is_given_it",
    )),
    Case(2, "Opened again, or ten minutes later, a link is refused, with how to make another.", (
        "web/test_login.py::test_a_link_works_once_and_its_page_says_how_to_make_another",
        "web_server/test_logins.py::test_a_link_works_once_and_says_then_how_to_get_another_one",
        "core/web_access/test_service.py::test_a_link_works_for_ten_minutes_and_for_no_longer",
    )),
    Case(3, "A preview's request uses no link up.", (
        "web/test_login.py::test_a_preview_of_a_link_uses_nothing_up",
        "web_server/test_logins.py::test_a_preview_of_a_link_uses_nothing_up",
    )),
    Case(4, "Without both secrets, or with wrong, expired or revoked ones, each route and socket answers 401.", (
        "web_server/test_doors.py::test_no_route_opens_without_both_secrets",
        "web_server/test_doors.py::test_no_socket_opens_without_both_secrets_and_says_so_with_a_status",
        "web_server/test_doors.py::test_the_key_of_a_socket_is_no_header_and_that_of_a_request_no_subprotocol",
    )),
    Case(5, "A login that is revoked while it is open is gone within a second, its terminal too.", (
        "web_server/test_logins.py::test_revoked_while_open_it_is_gone_at_once_and_others_stay",
        "web_server/test_logins.py::test_who_is_revoked_and_does_not_read_is_gone_all_the_same",
        ("web_server/test_terminal.py::"
         "test_revoked_while_open_a_terminal_is_gone_and_what_it_typed_after_is_typed_nowhere"),
        "web/test_login.py::test_a_login_that_is_revoked_or_runs_out_leaves_nothing_on_the_page",
    )),
    Case(6, "A foreign, missing or doubled Host, or one of another port, is misdirected.", (
        "web_server/test_doors.py::test_a_host_that_is_not_ours_is_misdirected",
        "web_server/test_doors.py::test_two_hosts_are_misdirected_also_when_both_are_ours",
        "web_server/test_doors.py::test_a_host_that_is_not_ours_is_misdirected_for_sockets_too",
    )),
    Case(7, "A foreign, null, alike, missing or doubled Origin is refused.", (
        "web_server/test_doors.py::test_an_origin_that_is_not_ours_may_not_write",
        "web_server/test_doors.py::test_an_origin_that_is_not_ours_may_not_read",
        "web_server/test_doors.py::test_an_origin_that_is_not_ours_opens_no_socket",
        "web_server/test_doors.py::test_two_origins_are_refused_also_when_both_are_ours",
    )),
    Case(8, "A page on another port has the cookie, and reads, acts, frames and connects in vain.", (
        ("web/test_foreign_page.py::"
         "test_a_page_on_another_port_has_the_cookie_and_reads_acts_frames_and_connects_in_vain"),
    )),
    Case(9, "A link that is clicked in a foreign page opens the shell.", (
        "web/test_foreign_page.py::test_a_link_that_is_clicked_in_a_foreign_page_opens_the_shell_with_its_login",
        "web/test_foreign_page.py::test_a_fresh_link_that_is_clicked_in_a_foreign_page_logs_in",
        "web_server/test_doors.py::test_a_link_in_a_foreign_page_opens_the_shell_and_nothing_else",
    )),
    Case(10, "Hostile names, logs, questions, diffs, notes and commits are shown, and nothing of them runs.", (
        "web/test_hostile_text.py::test_nothing_of_what_others_wrote_runs_or_turns_a_page_around",
        "web/test_needs.py::test_hostile_text_is_shown_and_nothing_of_it_runs",
        "web/test_log.py::test_hostile_lines_are_text_and_colours_are_kept",
        "web/test_changes.py::test_hostile_names_and_texts_are_shown_and_nothing_runs",
        "web/test_terminal.py::test_hostile_titles_and_links_do_nothing_by_themselves",
        "web/test_specs.py::test_hostile_documents_are_text",
    )),
    Case(11, "No trick of a path reaches a file, and none is an internal error.", (
        "web_server/test_doors.py::test_no_trick_of_a_path_reaches_a_file_or_breaks_the_server",
    )),
    Case(12, "A login that may only look changes nothing, by any request, argument, page or terminal; and is called.", (
        "web_server/test_read_only.py::test_no_request_with_any_of_its_arguments_changes_anything",
        "web_server/test_rest.py::test_each_reading_answers_as_the_document_says",
        "web_server/test_rest.py::test_each_change_is_done_for_a_login_that_may_and_for_no_other",
        "web/test_read_only.py::test_no_page_offers_a_button_that_this_login_may_not_use",
        "web/test_read_only.py::test_keys_of_verbs_and_of_a_terminal_change_nothing",
        "web_server/test_read_only.py::test_who_may_only_look_takes_no_call_from_the_owner",
    )),
    Case(13, "Allow on a phone goes on with the agent.", (
        "web/test_needs.py::test_allow_on_a_phone_goes_on_with_the_agent",
    )),
    Case(14, "Three questions at once are three cards with whole texts.", (
        "web/test_needs.py::test_three_questions_at_once_are_three_cards_with_whole_texts",
        "web_server/test_needs_page.py::test_three_that_ask_are_three_cards_in_the_order_of_the_terminal",
    )),
    Case(15, "A question that is answered elsewhere leaves, and says who answered it.", (
        "web/test_needs.py::test_one_that_is_answered_elsewhere_leaves_and_names_who",
        "web_server/test_needs_page.py::test_who_was_late_is_told_who_was_faster_and_the_card_leaves_everywhere",
    )),
    Case(16, "Of the web, the full-screen program and the command line one answers, and the others are told.", (
        "tui/test_beside_the_web.py::test_of_three_who_answer_one_wins_and_the_others_hear_who",
        "web/test_needs.py::test_of_two_pages_one_answers_and_the_other_is_told",
    )),
    Case(17, "A change of 2,000 lines is shown whole, with its buttons in reach.", (
        "web/test_needs.py::test_a_change_of_2000_lines_is_shown_whole_with_its_buttons_in_reach",
    )),
    Case(18, "Always shows the rule before it is stored.", (
        "web/test_needs.py::test_always_shows_the_rule_before_it_is_stored",
    )),
    Case(19, "Several questions, and several choices of one, are answered together.", (
        "web/test_needs.py::test_several_questions_and_several_choices_are_answered_together",
        "web/test_needs.py::test_number_keys_choose_and_y_sends",
    )),
    Case(20, "A tap right after a card appeared or moved answers nothing.", (
        "web/test_needs.py::test_a_tap_right_after_a_card_appeared_answers_nothing",
        "web/test_needs.py::test_a_tap_right_after_a_card_moved_answers_nothing",
        "web/test_missions.py::test_a_question_that_took_the_place_of_another_is_not_answered_by_the_same_click",
    )),
    Case(21, "After the supervisor was killed no row is stale.", (
        "web/test_lost.py::test_a_killed_daemon_is_said_and_no_row_is_stale_afterwards",
        "web_server/test_live.py::test_the_supervisor_is_killed_a_mission_ends_meanwhile_and_no_row_is_stale",
        "web_server/test_missions_page.py::test_after_the_supervisor_was_killed_the_list_is_fresh",
    )),
    Case(22, "After the web server was killed the page, its draft and its login are the same.", (
        "web/test_lost.py::test_a_killed_server_comes_back_to_the_same_page_draft_and_login",
        "web_server/test_live.py::test_the_web_server_is_killed_and_the_same_login_sees_what_changed_meanwhile",
    )),
    Case(23, "A server that stands still is said within 15 seconds, within 4 of coming back to the page.", (
        "web/test_absence.py::test_a_server_that_stands_still_is_said_within_15_seconds_while_the_page_is_seen",
        "web/test_absence.py::test_a_server_that_stands_still_is_said_within_4_seconds_of_coming_back_to_the_page",
        "web/test_lost.py::test_a_server_that_answers_no_more_is_noticed_when_somebody_comes_back_to_it",
    )),
    Case(24, "A page that was without network for a minute is live within a second of being looked at.", (
        ("web/test_absence.py::"
         "test_after_a_minute_without_network_a_phone_that_is_looked_at_again_is_live_within_a_second"),
        "web/test_absence.py::test_a_page_that_lost_its_network_while_it_was_looked_at_says_so_and_comes_back_at_once",
        "web/test_absence.py::test_a_page_whose_network_comes_back_without_a_word_finds_it_by_itself",
    )),
    Case(25, "A press whose answer is lost, pressed again, is one message, or one mission.", (
        "web/test_absence.py::test_a_message_whose_answer_is_lost_is_one_message_though_it_is_sent_again",
        "web/test_absence.py::test_a_message_whose_answer_is_lost_is_sent_again_by_itself_and_is_one",
        "web/test_absence.py::test_a_start_whose_answer_is_lost_and_that_is_pressed_again_is_one_mission",
        "web/test_lost.py::test_what_was_not_sent_says_so_and_goes_when_the_server_is_back",
        "web_server/test_live.py::test_a_press_whose_answer_was_lost_and_that_is_pressed_again_is_done_once",
    )),
    Case(26, "Ten tabs are all live.", (
        "web/test_missions.py::test_what_changes_is_seen_in_ten_tabs",
        "web_server/test_live.py::test_ten_tabs_are_all_live",
    )),
    Case(27, "Back, reload and a deep link keep the page, its filter and its row.", (
        "web/test_missions.py::test_back_reload_and_deep_link_keep_page_filter_and_row",
    )),
    Case(28, "Every filter of the documents keeps the rows that the full-screen program shows.", (
        "web_server/test_missions_page.py::test_a_filter_keeps_what_it_keeps_in_the_terminal",
        "tui/test_beside_the_web.py::test_each_example_of_the_filter_language_shows_the_same_rows_in_both",
    )),
    Case(29, "A filter that never ends is refused, and nobody waits for it.", (
        "web/test_filters.py::test_a_filter_that_never_ends_is_refused_and_other_pages_go_on",
        "web_server/test_missions_page.py::test_a_filter_that_makes_no_sense_or_never_ends_is_refused_in_words",
        "web_server/test_log.py::test_an_expression_that_never_ends_is_refused_and_delays_nobody",
    )),
    Case(30, "A thousand and ten thousand missions are a few rows of the page, and live.", (
        "web/test_many.py::test_so_many_missions_are_counted_filtered_ordered_and_a_few_rows_of_the_page",
        "web_server/test_missions_page.py::test_only_rows_in_view_are_sent_and_others_when_they_come_into_view",
    )),
    Case(31, "Two who look at different rows both see how busy a mission is.", (
        ("web_server/test_missions_page.py::"
         "test_who_looks_at_a_busy_mission_sees_its_load_and_another_tab_does_not_change_it"),
        "contract/test_figures.py::test_two_who_look_at_different_missions_both_see_what_these_use",
    )),
    Case(32, "Programs of the terminal have the cells that our emulator has.", (
        "web/test_terminal.py::test_the_page_shows_the_cells_that_our_emulator_has",
        ("web/test_terminal.py::"
         "test_a_program_that_draws_all_the_time_has_the_same_cells_and_the_size_of_the_page"),
        "web/test_terminal.py::test_a_wide_screen_fits_a_phone_or_is_panned",
    )),
    Case(33, "Of two who type the size of the newest counts.", (
        "web/test_terminal.py::test_the_size_of_who_typed_last_counts",
        "web_server/test_terminal.py::test_who_types_sees_the_echo_and_the_size_is_the_newest_typists",
    )),
    Case(34, "Beside a flood memory stays flat, and other tabs are typed in.", (
        "web/test_flood.py::test_beside_an_endless_flood_memory_stays_flat_and_another_tab_is_typed_into",
        "web/test_terminal.py::test_a_flood_ends_and_the_page_lives",
        "web_server/test_terminal.py::test_a_page_that_never_acknowledges_gets_one_window_and_others_get_all",
    )),
    Case(35, "A late viewer sees the same screen.", (
        "web/test_terminal.py::test_a_late_viewer_sees_the_same_screen",
    )),
    Case(36, "A headless agent is asked about first, and handed back on leaving.", (
        "web/test_terminal.py::test_a_headless_agent_is_asked_first_and_handed_back",
    )),
    Case(37, "What a phone's keyboard composes or suggests is typed once.", (
        "web/test_terminal.py::test_a_phones_box_sends_each_text_once_as_a_paste",
        "web/test_terminal.py::test_what_a_keyboard_composes_on_a_desk_is_typed_once",
    )),
    Case(38, "A million lines have a tail, any place, a search from the newest, runs and company.", (
        ("web/test_many.py::"
         "test_a_million_lines_have_their_tail_any_place_a_search_from_the_newest_and_are_followed"),
        "web/test_many.py::test_runs_are_chosen_and_several_missions_are_one_log",
    )),
    Case(39, "A hidden page swallows no call, and the call's address opens its card.", (
        "web/test_called.py::test_a_phone_in_a_pocket_is_called_elsewhere_and_the_address_opens_the_card",
        ("web_server/test_presence.py::"
         "test_a_page_that_is_seen_rings_and_no_command_is_called_until_it_is_hidden"),
        "web_server/test_presence.py::test_a_page_that_went_away_is_nobody_who_looks",
        "web_server/test_presence.py::test_a_page_that_answers_no_more_is_taken_for_nobody",
    )),
    Case(40, "By keyboard alone a mission is started, answered, typed into, landed and stopped.", (
        "web/test_by_keyboard.py::test_an_agent_is_started_answered_written_to_landed_and_stopped",
        "web/test_missions.py::test_by_keyboard_alone_a_mission_starts_is_filtered_described_and_stopped",
        "web/test_missions.py::test_by_keyboard_alone_a_shell_starts_is_typed_into_and_stopped",
        "web/test_changes.py::test_it_is_read_commented_and_landed_by_keys_alone",
    )),
    Case(41, "Axe finds nothing on any page, dark, light, or on a phone.", (
        "web/test_looks.py::test_axe_finds_nothing_on_any_page",
        "web/test_looks.py::test_axe_finds_nothing_in_dialogs_and_fingers_hit_their_buttons",
        "web/test_looks.py::test_axe_finds_nothing_in_settings_and_outside",
        "web/test_looks.py::test_axe_finds_nothing_where_nothing_is_yet",
    )),
    Case(42, "On a phone nothing scrolls sideways, and fingers hit every target.", (
        "web/test_looks.py::test_nothing_scrolls_sideways_on_a_phone_and_fingers_hit_every_target",
    )),
    Case(43, "Slow, many, huge and silent clients keep nobody out, and cost little memory.", (
        "web_server/test_limits.py::test_ten_thousand_half_requests_keep_nobody_out_and_cost_little",
        "web_server/test_limits.py::test_a_request_that_is_not_whole_in_time_is_ended_also_in_the_middle_of_a_body",
        "web_server/test_limits.py::test_a_byte_now_and_then_is_no_reason_to_wait_longer",
        "web_server/test_limits.py::test_a_frame_of_a_hundred_megabytes_ends_its_socket_and_is_not_kept",
        "web_server/test_limits.py::test_fragments_without_end_end_their_socket",
        "web_server/test_limits.py::test_who_reads_nothing_is_told_little_and_ended_and_others_go_on",
    )),
    Case(44, "Behind nginx and Caddy at a path it works; with the inner Host it says what to change.", (
        "web/test_proxies.py::test_a_path_behind_a_proxy_works_with_sockets_and_in_a_browser",
        "web/test_proxies.py::test_a_proxy_that_sends_the_servers_own_host_is_told_what_to_change",
    )),
    Case(45, "Each verb has a button and a key, or a reason; the document describes every answer.", (
        "house/test_web_buttons.py::test_each_button_names_a_verb_of_the_table",
        "house/test_web_buttons.py::test_each_verb_that_changes_something_has_a_button_on_pages_that_there_are",
        "web_server/test_rest.py::test_each_reading_answers_as_the_document_says",
        "web_server/test_rest.py::test_the_document_has_each_request_that_is_offered_and_no_other",
        "tools/test_screenshots.py::test_each_page_of_the_dashboard_is_there_in_every_look_and_small",
    )),
)  # fmt: skip
"""Of the web dashboard."""

SCREEN = (
    Case(1, "Of 45 missions the three that wait are in the first lines, though they were started last.", (
        "tui/test_agents.py::test_of_forty_five_missions_the_three_that_wait_stand_in_the_first_lines",
    )),
    Case(2, "From the first row to the last the hints change no cell but their tone.", (
        "tui/test_agents.py::test_the_hints_stay_where_they_are_whatever_the_cursor_is_on",
        "tui/test_hint_walk.py::test_moving_the_cursor_changes_no_cell_of_the_hints",
    )),
    Case(3, "Sixty seconds of output of nine missions move no row.", (
        "tui/test_screen_rest.py::test_sixty_seconds_of_output_move_no_row",
    )),
    Case(4, "A question that comes while a key is held leaves the cursor's row on its line, and is not answered.", (
        "tui/test_screen_rest.py::test_a_question_that_comes_while_a_key_is_held_moves_nothing",
        "tui/test_screen_rest.py::test_a_question_of_the_row_that_a_held_key_has_come_to_is_not_answered_unread",
    )),
    Case(5, "The child of a plan that asks is above, once, with its parent's name, and goes back once answered.", (
        "tui/test_screen_rest.py::test_the_child_of_a_plan_that_asks_stands_above_once_and_goes_back",
    )),
    Case(6, "Two keys in one write answer a question that was in sight, and no other; that is said.", (
        "tui/test_answer_in_place.py::test_two_keys_in_one_write_answer_a_question_that_was_in_sight",
        "tui/test_answer_in_place.py::test_one_that_came_a_moment_ago_is_not_answered_and_that_is_said",
        "tui/test_answer_in_place.py::test_one_whose_panel_the_first_key_opened_is_not_answered",
    )),
    Case(7, "No key answers a question of sixty lines before all of it was in sight.", (
        "tui/test_answer_in_place.py::test_no_key_answers_a_question_of_sixty_lines_before_all_of_it_was_in_sight",
        "tui/test_answer_in_place.py::test_in_no_size_a_key_answers_what_was_not_on_the_screen",
    )),
    Case(8, "In each size no part cuts a line of another, and no frame has two shapes.", (
        "tui/test_screen_rest.py::test_in_every_size_each_part_ends_where_the_next_one_begins",
        "tui/test_screen_rest.py::test_no_frame_between_two_sizes_has_both_shapes",
        "core/view/test_screen_shape.py::test_of_each_size_all_lines_are_used_once",
        "tui/test_pictures_screen.py::test_dark",
    )),
    Case(9, "What ended is one line that counts right; a failure is above until it was seen.", (
        ("tui/test_screen_rest.py::"
         "test_what_ended_is_one_line_that_counts_right_and_a_failure_stays_above_until_it_was_seen"),
        "tui/test_presence.py::test_other_news_under_the_cursor_is_seen_after_a_second",
        "tui/test_presence.py::test_a_turn_that_was_not_in_view_for_a_second_is_unseen_when_the_cursor_leaves",
    )),
    Case(10, "What was unfolded, filtered, marked and sorted is so after a restart.", (
        "tui/test_screen_rest.py::test_how_the_list_was_arranged_survives_a_restart",
    )),
    Case(11, "Every mark has its word in the help at 80x24, without scrolling.", (
        "core/view/test_keys_help.py::test_every_mark_of_the_table_has_its_word_at_80x24",
        "tui/test_help.py::test_every_mark_of_the_table_is_in_the_help_at_80x24_without_scrolling",
    )),
    Case(12, "There are nine hints at most, and each does what it says.", (
        "tui/test_hint_walk.py::test_on_every_page_there_are_nine_at_most_and_each_key_means_what_is_said",
        ("tui/test_hint_walk.py::"
         "test_each_hint_on_the_screen_does_the_action_that_it_says_by_its_key_and_by_a_click"),
        "tui/test_hint_walk.py::test_each_hint_of_the_list_does_what_its_word_says",
        "tui/test_hint_walk.py::test_each_hint_of_each_other_part_does_what_its_word_says",
        "tui/test_hint_walk.py::test_each_hint_of_the_line_that_is_typed_into_does_what_its_word_says",
        "tui/test_hint_walk.py::test_the_hints_of_all_parts_are_all_walked",
    )),
    Case(13, "The form has the line's text, which is kept; a dollar makes it a command in the folder of the start.", (
        "tui/test_line.py::test_the_form_has_the_text_and_the_line_has_it_back",
        "tui/test_line.py::test_esc_keeps_the_text_beyond_another_page_and_a_resize_and_ctrl_c_drops_it",
        "tui/test_line.py::test_a_dollar_first_makes_it_a_command_with_agents_and_without",
        "tui/test_black_box.py::test_the_line_starts_a_command_in_the_folder_of_the_start_and_its_log_appears",
    )),
    Case(14, "Each tone can be read on each ground, and orange is only where a person is needed.", (
        "core/view/test_tones.py::test_every_tone_can_be_read_on_every_ground",
        "core/view/test_tones.py::test_the_sixteen_can_be_read_in_a_dark_terminal",
        ("core/view/test_screen_pictures.py::"
         "test_orange_is_in_no_cell_but_of_who_needs_a_person_their_question_and_the_header"),
    )),
    Case(15, "A terminal of sixteen colours gets no others.", (
        "tui/test_sixteen_colours.py::test_a_terminal_gets_no_colours_that_it_has_not",
    )),
    Case(16, "First frame, keys, bytes, rest and ink are measured; the figures themselves are no test's.", (
        "bench/test_runs.py::test_the_figures_of_the_screen_are_measured",
    )),
    Case(17, "At 80 columns the line, the form, a diff and a terminal have all of them.", (
        "tui/test_line.py::test_at_80_columns_the_line_the_form_a_diff_and_a_terminal_have_all_of_them",
    )),
    Case(18, "At no width a line of an agent's log is cut.", (
        "tui/test_faces.py::test_no_line_of_the_log_of_an_agent_is_cut",
    )),
    Case(19, "Memory that stays is steady, and one sample has no bar.", (
        "tui/test_faces.py::test_memory_that_stays_is_steady_and_one_sample_has_no_bar",
        "core/view/test_stats_face.py::test_flat_figures_are_steady_and_one_sample_has_no_bar",
    )),
    Case(20, "All that a stranger asks in the first minute is answered on the screen.", (
        ("tui/test_first_minute.py::"
         "test_all_that_a_stranger_asks_in_the_first_minute_is_answered_on_the_screen"),
    )),
)  # fmt: skip
"""Of the full-screen program."""
FACES = {"web": (WEB, 45), "screen": (SCREEN, 20)}


@pytest.mark.parametrize("face", FACES)
def test_each_case_has_tests(face):
    cases, most = FACES[face]
    assert [case.number for case in cases] == list(range(1, most + 1))
    assert not [case.number for case in cases if not case.tests]


@pytest.mark.parametrize("face", FACES)
def test_each_test_of_a_case_is_there(face):
    assert not missing(FACES[face][0])
