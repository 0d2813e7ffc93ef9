from itsdangerous import Signer

print(Signer("key").sign("value").decode())
