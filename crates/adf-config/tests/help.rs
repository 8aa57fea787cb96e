//! What `adf-config --help` says, so that a change of it is seen in review.

#[test]
fn the_help_is_the_documented_one() {
    let help = adf_config::cli::command().term_width(100).render_long_help().to_string();
    insta::assert_snapshot!("adf-config", help);
}
