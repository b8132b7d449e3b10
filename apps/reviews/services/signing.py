"""What a signature consists of: `apps.accounts.signing`, which the apps below this one sign with too."""

from apps.accounts.signing import Signature, sign

__all__ = ["Signature", "sign"]
