# shellcheck shell=sh
for file in /lib/*/security/pam_faillock.so /usr/lib/*/security/pam_faillock.so /lib/security/pam_faillock.so; do
  [ ! -e "$file" ] || { echo installed; break; }
done
! grep -Eqs '^[[:space:]]*auth.*pam_(faillock|tally2)\.so' /etc/pam.d/common-auth || echo counted
