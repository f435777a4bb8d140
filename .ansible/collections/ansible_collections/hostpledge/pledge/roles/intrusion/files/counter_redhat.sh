# shellcheck shell=sh
! grep -Eqs '^[[:space:]]*auth.*pam_(faillock|tally2)\.so' "${STACKS%% *}" || echo counted
if command -v authselect >/dev/null; then
  if authselect current >/dev/null 2>&1 && authselect check >/dev/null 2>&1; then echo authselect; fi
elif command -v authconfig >/dev/null; then
  echo authconfig
fi
