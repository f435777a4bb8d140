"""Who may enter and become root: sshd, sudo, PAM, lockouts, idle sessions."""
