"""The exit codes of commands and worker processes; a worker's is stored with its end."""

DONE = 0
FAILED = 1
WRONG = 2  # the study, the data or the command
BROKEN_OFF = 3  # stopped by the failure breaker
MISMATCH = 4  # this machine does not match the study
AWAY = 69  # of a worker under our supervisor: database or artifact store stayed away
DRAINED = 75  # trials were handed back; start the command again to go on
DEVICE_LOST = 76  # trials were handed back; the device is not to be used again
KILLED = 130  # ended by the second Ctrl-C

ORDERLY = (DONE, AWAY, DRAINED)
LASTING = (WRONG, BROKEN_OFF, MISMATCH)  # another start would end the same way
