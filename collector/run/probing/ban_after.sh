# Lets the address in again; the timer stays until it is seen to be in.
hp_act() { hp_unban 2; }
