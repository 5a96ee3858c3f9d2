"""巡河 patrols: which metres of which bank were really seen, by whom, and who owes a visit where.

Where to look, in the order that things happen:

- *Track to legs*: ``score`` runs it; ``fixes`` (what is handed on), ``clean`` (order, clock, marks), ``datum``, ``water`` (reaches as arrays),
  ``match`` with ``match_kernels``, ``coverage`` with ``coverage_kernels`` (seen, by bank and way of moving), ``unseen`` (why not the rest),
  ``figures``, ``compliance`` (达标). Bare files: ``reach_files``, ``files``, ``results``.
- *Questions 轨迹待核实*: ``questions`` asks them; ``authenticity`` is the door of ``authenticity_*`` (a track alone, against others); ``review``
  with ``review_store``, ``review_workflow`` (说明, 复核).
- *Receiving and nights*: ``receive_workflow`` with ``receive_store``, ``upload_files``, ``outing`` (parts of one outing); ``workflow`` with
  ``store`` (scorings, who saw a track, retention), ``company`` on ``areas`` and ``joint``; ``explain_workflow`` (a verdict replayed).
- *Without a track*: ``entries`` with ``entry_store``, ``entry_workflow``, ``merge_workflow``; ``paper``, ``scan_files`` (纸质日志); ``records`` with
  ``record_*`` (平台记录, in and out).
- *Duty*: ``frequency`` (the rules), ``targets``, ``visits``, ``calendar``, ``risk`` (加密), ``duty`` (下一步), ``rota`` (轮值); ``duty_store``, ``duty_workflow``.
- *A period*: ``period`` with ``period_lines``, ``period_tally``: what all patrols together have seen.
"""
