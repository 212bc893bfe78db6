#!/bin/bash
# Is a domain made up by a program? Guesses: GET /apply?host=yahoo.com -> {"is_malicious": "legit"}
python dga.py
