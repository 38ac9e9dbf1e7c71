//! Who may log in. A real shop keeps salted password hashes; this one is made of cardboard.

/// The shop's users and their passwords.
const USERS: [(&str, &str); 2] = [("alice", "correct horse"), ("bob", "battery staple")];

/// Is this one of the shop's users, with the right password?
pub fn knows(user: &str, password: &str) -> bool {
    USERS.contains(&(user, password))
}
