/// The release, as `velokube --version`, the User-Agent and a metric tell it.
package let velokubeVersion = "0.1.0"
