# After a connection that was lost in the middle: is anything left of that act?
hp_act() { :; }
