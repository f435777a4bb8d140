# Before anything is sent to a host from outside of it: did somebody stop probes there?
hp_act() { :; }
