"""The jobs that write files, as Python calls them: those of the command line, but that no panic comes out of them."""

from __future__ import annotations

from sessionize import one_shot
from sessionize.nightly import job
from sessionize.unforeseen import as_called

run = as_called()(one_shot.run)
run_night = as_called()(job.run_night)
