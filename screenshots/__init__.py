"""Pictures for the README, made from the running programs: `python3 run.py python screenshots/make.py`."""
