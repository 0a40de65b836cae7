"""Fuzzing: functions that take any bytes and raise only if something is wrong with the server.

`targets` names them all. What they are fed begins with `corpus/TARGET/`: each file there is replayed by
the ordinary tests, `make fuzz SECONDS=60` goes on from them under atheris, and what makes a target
raise is saved among them as `crash-…`.
"""
