#!/bin/bash
# Is a domain made up by a program? Guesses: GET /apply?host=yahoo.com -> {"is_malicious": "legit"}
exec python dga.py
